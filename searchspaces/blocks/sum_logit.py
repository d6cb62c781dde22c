"""Output of a model whose parts each vote with one number."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._shapes import Cost, Dense, Shape
from searchspaces.block import Block, precise

__all__ = ["SumLogit"]


class SumLogit(Block):
    """Adds inputs of width one. Option: `bias`, on where not given."""

    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.output(inputs, options)
        bias = flag("sum_logit", options, "bias", default=True)
        self.bias = nn.Parameter(torch.zeros(1)) if bias else None

    @classmethod
    def output(cls, inputs: Sequence[Shape], options: Options) -> Dense:
        """One number."""
        check_names("sum_logit", options, ("bias",))
        flag("sum_logit", options, "bias", default=True)
        for shape in inputs:
            if shape != Dense(1):
                raise ArchitectureError(
                    f"block 'sum_logit' adds inputs of width 1, but got {shape}; put a 'linear' of width 1 before it"
                )
        return Dense(1)

    @classmethod
    def cost(cls, inputs: Sequence[Shape], options: Options) -> Cost:
        """The bias alone; additions are not counted."""
        return Cost(parameters=int(flag("sum_logit", options, "bias", default=True)))

    def forward(self, *inputs: Float[Tensor, "batch 1"]) -> Float[Tensor, "batch 1"]:
        """Log-odds of a click."""
        total = precise(torch.stack(inputs)).sum(0)
        return total if self.bias is None else total + self.bias
