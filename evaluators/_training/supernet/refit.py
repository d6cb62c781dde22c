"""The last layer fitted again on activations that are kept: a convex problem, so a few steps of Newton's method.

Letters: X activations [rows, width + 1] with a column of ones, y labels, w weights, w0 those at the start, r the ridge.
What is minimised is the sum of log losses of X w + r/2 |w - w0|^2: the fit stays near the start where the rows tell
nothing.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

STEPS = 8
"""Of Newton's method; fewer where nothing is gained any more."""

INNER_STEPS = 30
"""Of conjugate gradients within one of them: the matrix of second derivatives is never written out."""

HALVINGS = 30
TOLERANCE = 1e-7
"""Relative gain below which it ends."""


def refitted(
    activations: Float[Tensor, "rows width"],
    labels: Float[Tensor, " rows"],
    weight: Float[Tensor, " width"],
    bias: float,
    *,
    ridge: float,
    steps: int = STEPS,
) -> tuple[Float[Tensor, " width"], float]:
    """Weights and bias of a logistic regression that begins at the given ones; the loss never rises."""
    rows = torch.cat([activations, torch.ones_like(activations[:, :1])], dim=1)
    start = torch.cat([weight, weight.new_tensor([bias])]).to(rows)
    labels = labels.to(rows)
    now, loss = start, _loss(rows, labels, start, start, ridge)
    for _ in range(steps):
        direction = _newton(rows, labels, now, start, ridge)
        length = 1.0
        for _ in range(HALVINGS):
            there = _loss(rows, labels, now + length * direction, start, ridge)
            if there <= loss:
                break
            length /= 2.0
        if not loss - there > TOLERANCE * abs(loss):
            break
        now, loss = now + length * direction, there
    return now[:-1], float(now[-1])


def _loss(rows: Tensor, labels: Tensor, weights: Tensor, start: Tensor, ridge: float) -> float:
    loss = binary_cross_entropy_with_logits(rows @ weights, labels, reduction="sum")
    return float(loss + 0.5 * ridge * (weights - start).square().sum())


def _newton(rows: Tensor, labels: Tensor, weights: Tensor, start: Tensor, ridge: float) -> Tensor:
    """The direction of Newton's method, by conjugate gradients on scaled columns."""
    chances = torch.sigmoid(rows @ weights)
    curvature = chances * (1.0 - chances)
    gradient = rows.T @ (chances - labels) + ridge * (weights - start)
    scale = torch.einsum("nw,n->w", rows.square(), curvature) + ridge
    direction, residual = torch.zeros_like(weights), -gradient
    scaled = residual / scale
    search, height = scaled, float(residual @ scaled)
    goal = 1e-6 * height
    for _ in range(INNER_STEPS):
        if height <= goal:
            break
        bent = rows.T @ (curvature * (rows @ search)) + ridge * search
        length = height / float(search @ bent)
        direction = direction + length * search
        residual = residual - length * bent
        scaled = residual / scale
        before, height = height, float(residual @ scaled)
        search = scaled + (height / before) * search
    return direction
