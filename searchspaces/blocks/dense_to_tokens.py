"""A dense vector as field vectors."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag, whole_number
from searchspaces._options import Options
from searchspaces._shapes import Cost, Fields, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost
from searchspaces.layers import LayerNorm, check_norm_width, norm_cost

__all__ = ["DenseToTokens"]


class DenseToTokens(Block):
    """norm(W x + b), cut into tokens; a vector that has their size already is only cut.

    The dense-sparse merger of Zhang et al. (2023), NASRec: weight sharing neural architecture search for recommender
    systems, where 8 tokens follow those of a block.

    Options: `tokens` and `dim` of the output; `layer_norm` over all its numbers, off where not given.
    """

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self._out = self.output(inputs, options)
        wide, size = flat_width(inputs), self._out.tokens * self._out.dim
        self.layer = nn.Linear(wide, size) if wide != size else None
        self.norm = LayerNorm(size) if wide != size and _normed(options) else None

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Fields:
        """The chosen tokens."""
        check_names("dense_to_tokens", options, ("tokens", "dim", "layer_norm"))
        shape = Fields(*(whole_number("dense_to_tokens", options, name) for name in ("tokens", "dim")))
        if _normed(options):
            check_norm_width("dense_to_tokens", shape.tokens * shape.dim)
        return shape

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """One affine layer and its norm, where the sizes differ."""
        out = cls.output(inputs, options)
        wide, size = flat_width(inputs), out.tokens * out.dim
        if wide == size:
            return Cost()
        return linear_cost(wide, size) + norm_cost("layer" if _normed(options) else "none", size)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch tokens dim"]:
        """The tokens."""
        units: Tensor = concatenate(inputs)
        if self.layer is not None:
            units = self.layer(units)
        if self.norm is not None:
            units = self.norm(units)
        return units.view(-1, self._out.tokens, self._out.dim)


def _normed(options: Options) -> bool:
    return flag("dense_to_tokens", options, "layer_norm", default=False)
