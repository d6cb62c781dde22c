"""Passes its input on: the choice of no operator."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Shape
from searchspaces.block import Block

__all__ = ["Identity"]


class Identity(Block):
    """y = x for one input, dense or field vectors; it has no options."""

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Shape:
        """The shape of the input."""
        check_names("identity", options, ())
        if len(inputs) != 1:
            raise ArchitectureError(f"block 'identity' takes one input, but got {len(inputs)}; put a 'concat' there")
        return inputs[0]

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Nothing."""
        return Cost()

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch ..."]:
        """The input itself."""
        return inputs[0]
