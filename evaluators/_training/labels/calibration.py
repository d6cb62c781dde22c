"""Calibrated log loss: the loss of a model whose intercept is refitted on the rows that it is scored on.

What a run adds to the loss of all its rows alike, by ending on a high or a low note, drops out; the order of
candidates gains by that where they are compared in pairs (KDD 2024, on calibrated log loss).

Letters: s logit, y label, p = sigmoid(s + b), q base rate, n rows.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._training.jackknife import (
    BLOCKS,
    Estimate,
    block_starts,
    block_sums,
    without_each_block,
)
from evaluators._training.metrics import base_rate, entropy, normalised_entropy, probabilities, row_losses

Vector = NDArray[np.float64]

NEWTON_STEPS = 200
"""More than bisection alone needs: 2e4 wide at first, 1e-12 at last, are 55 halvings."""

TOLERANCE = 1e-12
"""Relative error of the intercept."""

FAR = 0.5
"""A step of the intercept beyond which one Newton step without a block is not trusted."""


def intercept(logits: Vector, labels: Vector) -> float:
    """The b at which mean p = mean y, which is the b of the least log loss.

    The loss falls towards b from both sides, and between logit(q) - max s and logit(q) - min s it lies: a Newton
    step that leaves what is known to hold b, or does not halve the miss, is replaced by a bisection.

    >>> round(intercept(np.array([0.0, 0.0, 0.0, 0.0]), np.array([1.0, 0.0, 0.0, 0.0])), 6)
    -1.098612

    Raises:
        EvaluatorError: the labels are all of one class, or a logit is not finite.
    """
    if not np.isfinite(logits).all():
        raise EvaluatorError(
            f"an intercept needs finite logits, but {int((~np.isfinite(logits)).sum())} of {len(logits)} are not; "
            "leave out a model that diverged"
        )
    rate = base_rate(float(labels.sum()), len(labels), needing="an intercept needs")
    odds = math.log(rate / (1.0 - rate))
    low, high = odds - float(logits.max()), odds - float(logits.min())
    b, before = min(max(0.0, low), high), math.inf
    for _ in range(NEWTON_STEPS):
        p = probabilities(logits + b)
        miss, slope = float(p.mean()) - rate, float((p * (1.0 - p)).mean())
        low, high = (b, high) if miss < 0.0 else (low, b)
        step = -miss / slope if slope > 0.0 and abs(miss) <= 0.5 * before else math.inf
        following = b + step if low <= b + step <= high else 0.5 * (low + high)
        if miss == 0.0:
            return b
        if abs(following - b) <= TOLERANCE * max(1.0, abs(b)):
            break
        b, before = following, abs(miss)
    return following


def calibrated(logits: Vector, labels: Vector) -> Vector:
    """The logits with the intercept that fits the labels, [n]."""
    shifted: Vector = logits + intercept(logits, labels)
    return shifted


def calibrated_ne(logits: Vector, labels: Vector, *, blocks: int = BLOCKS) -> Estimate:
    """NE after the intercept is refitted, on all rows and on those without each block; rows in the order of time.

    Without a block the loss is taken at one Newton step from the intercept of all rows, to second order in the
    step: n operations, not n for each block. Where that step is long, as where few rows have an uncertain
    prediction, the intercept is fitted anew.

    Raises:
        EvaluatorError: the labels are all of one class, or a logit is not finite.
    """
    shifted = calibrated(logits, labels)
    plain = normalised_entropy(row_losses(shifted, labels), labels, blocks=blocks)
    if plain.left_out is None:
        return plain
    p = probabilities(shifted)
    excess, curvature = block_sums(p - labels, blocks), without_each_block(p * (1.0 - p), blocks)
    left, clicks = without_each_block(np.ones(len(labels)), blocks), without_each_block(labels, blocks)
    entropies = np.array([entropy(float(rate)) for rate in clicks / left])
    safe = np.abs(excess) <= FAR * curvature
    fall = np.divide(0.5 * excess**2, curvature, out=np.zeros(len(left)), where=safe & (curvature > 0.0))
    left_out = plain.left_out - fall / left / entropies
    for block in np.flatnonzero(~safe):
        left_out[block] = _refitted(shifted, labels, int(block), blocks)
    return Estimate(plain.value, left_out)


def _refitted(logits: Vector, labels: Vector, block: int, blocks: int) -> float:
    starts = np.append(block_starts(len(labels), blocks), len(labels))
    out = slice(int(starts[block]), int(starts[block + 1]))
    s, y = np.delete(logits, out), np.delete(labels, out)
    return normalised_entropy(row_losses(calibrated(s, y), y), y).value
