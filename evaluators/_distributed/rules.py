"""How rows of a table move, each rule with its state beside the table."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from evaluators._distributed.sharding import Rule

EPSILON = 1e-10
"""Torch's, of Adagrad."""

BETAS = (0.9, 0.999)
ADAM_EPSILON = 1e-8


@dataclass(frozen=True)
class RowRule:
    """A rule with its learning rate; `moment_scale` c takes sqrt(v / c) for sqrt(v) (see `sharding.Layout`).

    The numbers of a row are those of `members` models side by side: where a rule has one sum for a row, each has its
    own.
    """

    rule: Rule = Rule.ADAGRAD
    rate: float = 2e-2
    moment_scale: float = 1.0
    members: int = 1

    @property
    def is_dense(self) -> bool:
        """Whether all rows move at each step, and not those of a batch alone."""
        return self.rule is Rule.ADAM

    def state_of(self, weight: Float[Tensor, "rows numbers"]) -> list[Tensor]:
        """Fresh state for a table: what groups of ranks average, beside the table itself."""
        if self.rule is Rule.SGD:
            return []
        if self.rule in (Rule.SPARSE_ADAM, Rule.ADAM):
            return [torch.zeros_like(weight), torch.zeros_like(weight), weight.new_zeros(1)]
        if self.rule is Rule.ROWWISE_ADAGRAD:
            return [weight.new_zeros(len(weight), self.members)]
        return [torch.zeros_like(weight)]

    def step(self, state: list[Tensor], rows: Int[Tensor, " n"], gradient: Tensor) -> Float[Tensor, "n numbers"]:
        """By what to move different rows, times the rate, against their gradients `[n, numbers]`; moves the state."""
        if self.rule is Rule.SGD:
            return gradient
        if self.rule is Rule.SPARSE_ADAM:
            return self._adam(state, rows, gradient)
        if self.rule is Rule.ROWWISE_ADAGRAD:
            return self._rowwise(state[0], rows, gradient)
        known = state[0].index_select(0, rows) + gradient.square()
        state[0].index_copy_(0, rows, known)
        return gradient / ((known / self.moment_scale).sqrt() + EPSILON)

    def whole_step(self, state: list[Tensor], gradient: Float[Tensor, "rows numbers"]) -> Tensor:
        """As `step`, of a rule that moves every row."""
        steps = state[2].add_(1)
        first = state[0].lerp_(gradient, 1 - BETAS[0])
        second = state[1].lerp_(gradient.square(), 1 - BETAS[1])
        return self._unbiased(first, second, steps)

    def _rowwise(self, sums: Tensor, rows: Tensor, gradient: Tensor) -> Tensor:
        each = gradient.view(len(gradient), self.members, gradient.shape[1] // self.members)
        known = sums.index_select(0, rows) + each.square().mean(2)
        sums.index_copy_(0, rows, known)
        return (each / ((known / self.moment_scale).sqrt() + EPSILON).unsqueeze(2)).view_as(gradient)

    def _adam(self, state: list[Tensor], rows: Tensor, gradient: Tensor) -> Tensor:
        steps = state[2].add_(1)
        first = torch.lerp(gradient, state[0].index_select(0, rows), BETAS[0])
        second = torch.lerp(gradient.square(), state[1].index_select(0, rows), BETAS[1])
        state[0].index_copy_(0, rows, first)
        state[1].index_copy_(0, rows, second)
        return self._unbiased(first, second, steps)

    def _unbiased(self, first: Tensor, second: Tensor, steps: Tensor) -> Tensor:
        scaled = second / (1 - BETAS[1] ** steps) / self.moment_scale
        return first / (1 - BETAS[0] ** steps) / (scaled.sqrt() + ADAM_EPSILON)
