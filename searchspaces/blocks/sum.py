"""Sum pooling over tokens and over inputs."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import pad

from searchspaces._block_options import check_names, flag
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block

__all__ = ["Sum"]


class Sum(Block):
    """Adds dense vectors and field vectors of one width.

    On field vectors of width one it is the linear part of a factorization machine.

    Options: `pad`, off where not given: vectors may differ in width, and zeros fill up the narrower ones, as in Zhang
    et al. (2023), NASRec: weight sharing neural architecture search for recommender systems.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self._width = self.output(inputs, options).width

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """As wide as each of the vectors, or as the widest."""
        check_names("sum", options, ("pad",))
        widths = sorted({shape.width if isinstance(shape, Dense) else shape.dim for shape in inputs})
        if len(widths) != 1 and not flag("sum", options, "pad", default=False):
            raise ArchitectureError(f"block 'sum' adds vectors of one width, but got widths {widths}")
        return Dense(widths[-1])

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """Nothing; additions are not counted."""
        return Cost()

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch width"]:
        """The sum over all vectors of all inputs."""
        vectors = [one.sum(1) if one.dim() == 3 else one for one in inputs]
        filled = [one if one.shape[1] == self._width else pad(one, (0, self._width - one.shape[1])) for one in vectors]
        return torch.stack(filled).sum(0)
