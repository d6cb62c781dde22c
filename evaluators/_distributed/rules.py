"""How rows of a table move: rules that touch the rows of a batch alone, each with its state beside the table."""

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
    """A rule with its learning rate; `moment_scale` c takes sqrt(v / c) for sqrt(v) (see `sharding.Layout`)."""

    rule: Rule = Rule.ADAGRAD
    rate: float = 2e-2
    moment_scale: float = 1.0

    def state_of(self, weight: Float[Tensor, "rows numbers"]) -> list[Tensor]:
        """Fresh state for a table: what groups of ranks average, beside the table itself."""
        if self.rule is Rule.SGD:
            return []
        if self.rule is Rule.SPARSE_ADAM:
            return [torch.zeros_like(weight), torch.zeros_like(weight), weight.new_zeros(1)]
        return [weight.new_zeros(len(weight), 1) if self.rule is Rule.ROWWISE_ADAGRAD else torch.zeros_like(weight)]

    def move(
        self, weight: Float[Tensor, "rows numbers"], state: list[Tensor], rows: Int[Tensor, " n"], gradient: Tensor
    ) -> None:
        """Moves different rows by their gradients `[n, numbers]`, in place."""
        weight.index_add_(0, rows, self._step(state, rows, gradient), alpha=-self.rate)

    def _step(self, state: list[Tensor], rows: Tensor, gradient: Tensor) -> Tensor:
        if self.rule is Rule.SGD:
            return gradient
        if self.rule is Rule.SPARSE_ADAM:
            return self._adam(state, rows, gradient)
        squares = gradient.square()
        if self.rule is Rule.ROWWISE_ADAGRAD:
            squares = squares.mean(1, keepdim=True)
        known = state[0].index_select(0, rows) + squares
        state[0].index_copy_(0, rows, known)
        return gradient / ((known / self.moment_scale).sqrt() + EPSILON)

    def _adam(self, state: list[Tensor], rows: Tensor, gradient: Tensor) -> Tensor:
        steps = state[2].add_(1)
        first = torch.lerp(gradient, state[0].index_select(0, rows), BETAS[0])
        second = torch.lerp(gradient.square(), state[1].index_select(0, rows), BETAS[1])
        state[0].index_copy_(0, rows, first)
        state[1].index_copy_(0, rows, second)
        unbiased = second / (1 - BETAS[1] ** steps) / self.moment_scale
        return first / (1 - BETAS[0] ** steps) / (unbiased.sqrt() + ADAM_EPSILON)
