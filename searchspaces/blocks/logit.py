"""Output of a model: a linear read-out of everything it takes."""

from __future__ import annotations

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, concatenate, flat_width, linear_cost

__all__ = ["Logit"]


class Logit(Block):
    """One affine unit on the concatenation; it has no options."""

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        self.layer = nn.Linear(flat_width(inputs), 1)

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """One number."""
        check_names("logit", options, ())
        return Dense(1)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """One affine unit."""
        return linear_cost(flat_width(inputs), 1)

    def forward(self, *inputs: Float[Tensor, "batch ..."]) -> Float[Tensor, "batch 1"]:
        """Log-odds of a click."""
        logits: Tensor = self.layer(concatenate(inputs).to(self.layer.weight.dtype))
        return logits
