"""Several small networks in one: their weights are stacked, so that ten train in the time of about two.

Letters: e members, n records, d columns, h hidden units, t targets.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Self

import torch
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import functional

BATCH = 64
"""Records of a step, drawn by each member for itself: all pairs of them count."""

WEIGHT_DECAY = 0.01
RATE = 5e-3


@dataclass(frozen=True)
class Targets:
    """What the heads learn, `[n t]`, smaller is better, and where it is known."""

    values: Float[Tensor, "n t"]
    known: Bool[Tensor, "n t"]


class StackedMLP:
    """`members` perceptrons `[d, h, h, t]` with ReLU: two shared layers and a head for each target."""

    def __init__(self, columns: int, targets: int, *, members: int, hidden: int, generator: torch.Generator) -> None:
        """Initial weights are He's, drawn from `generator`."""
        sizes = [columns, hidden, hidden, targets]
        self._weights: list[Float[Tensor, "e i o"]] = []
        self._biases: list[Float[Tensor, "e 1 o"]] = []
        for inside, outside in pairwise(sizes):
            drawn = torch.randn(members, inside, outside, generator=generator) * (2.0 / inside) ** 0.5
            self._weights.append(drawn.requires_grad_())
            self._biases.append(torch.zeros(members, 1, outside, requires_grad=True))

    def __call__(self, codes: Float[Tensor, "e n d"]) -> Float[Tensor, "e n t"]:
        """Each member's scores of its own records."""
        for weight, bias in zip(self._weights[:-1], self._biases[:-1], strict=True):
            codes = functional.relu(torch.baddbmm(bias, codes, weight))
        return torch.baddbmm(self._biases[-1], codes, self._weights[-1])

    @torch.no_grad()
    def scores(self, codes: Float[Tensor, "n d"]) -> Float[Tensor, "e n t"]:
        """Each member's scores of the same records."""
        return self(codes.expand(len(self._weights[0]), *codes.shape))

    def train(
        self,
        codes: Float[Tensor, "n d"],
        targets: Targets,
        *,
        steps: int,
        margin: float | None,
        generator: torch.Generator,
    ) -> Self:
        """Minimises the ranking loss with `margin`, or squared error where that is None, by Adam with decayed weights.

        The rate falls to zero along a cosine.
        """
        optimizer = torch.optim.AdamW([*self._weights, *self._biases], lr=RATE, weight_decay=WEIGHT_DECAY, fused=True)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
        members = len(self._weights[0])
        for _ in range(steps):
            drawn = torch.rand(members, len(codes), generator=generator).argsort(dim=1)[:, :BATCH]
            scores, values, known = self(codes[drawn]), targets.values[drawn], targets.known[drawn]
            loss = (
                squared_loss(scores, values, known) if margin is None else ranking_loss(scores, values, known, margin)
            )
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch's
            optimizer.step()
            schedule.step()
        return self


def ranking_loss(
    scores: Float[Tensor, "e n t"], values: Float[Tensor, "e n t"], known: Bool[Tensor, "e n t"], margin: float
) -> Float[Tensor, ""]:
    """Summed over members and targets: the mean over pairs of what is missing to `margin` between worse and better."""
    # With records as the last axes, pairwise arithmetic runs along memory.
    scores, values, known = (one.transpose(1, 2).contiguous() for one in (scores, values, known))
    is_pair = (values.unsqueeze(3) < values.unsqueeze(2)) & known.unsqueeze(3) & known.unsqueeze(2)
    missing = functional.relu(scores.unsqueeze(3) - (scores.unsqueeze(2) - margin)) * is_pair
    return (missing.sum(dim=(2, 3)) / is_pair.sum(dim=(2, 3)).clamp(min=1)).sum()


def squared_loss(
    scores: Float[Tensor, "e n t"], values: Float[Tensor, "e n t"], known: Bool[Tensor, "e n t"]
) -> Float[Tensor, ""]:
    """Summed over members and targets: the mean squared difference of scores and known values."""
    square = (scores - values).square() * known
    return (square.sum(dim=1) / known.sum(dim=1).clamp(min=1)).sum()
