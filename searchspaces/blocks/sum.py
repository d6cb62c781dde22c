"""Sum pooling over tokens and over inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block

__all__ = ["Sum"]


class Sum(Block):
    """Adds dense vectors and field vectors of one width; it has no options.

    On field vectors of width one it is the linear part of a factorization machine.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as each of the vectors."""
        check_names("sum", options, ())
        widths = sorted({shape.width if isinstance(shape, Dense) else shape.dim for shape in inputs})
        if len(widths) != 1:
            raise ArchitectureError(f"block 'sum' adds vectors of one width, but got widths {widths}")
        return Dense(widths[0])

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Nothing; additions are not counted."""
        return Cost()

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """The sum over all vectors of all inputs."""
        vectors = [one.sum(1) if one.dim() == 3 else one for one in inputs]
        return torch.stack(vectors).sum(0)
