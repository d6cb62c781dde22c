"""Concatenation of everything it takes."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width

__all__ = ["Concat"]


class Concat(Block):
    """One dense vector of all dense inputs and all field vectors, flattened; it has no options."""

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as all inputs together."""
        check_names("concat", options, ())
        return Dense(flat_width(inputs))

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Nothing."""
        return Cost()

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """All numbers, in the order of the inputs."""
        return concatenate(inputs)
