"""How many batches each it takes until two sub-networks are in the right order, by what their losses are held against.

Letters: L loss of a sub-network on a batch, L_B that of the baseline on the same batch, N batches on record, n batches
that each of the two is seen on, m and s mean and standard deviation of the difference of two rewards.

The right order is that of the mean losses on rows of validation. Two sub-networks are ordered by n batches each if the
running mean of the difference of their rewards has the right sign in 95 % of resamples, at n and from there on to N.
If batches are drawn independently, that is at about n = (1.645 s / m)^2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.methods._reward import rewards

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

WITHOUT, WITH, RELATIVE, PAIRED = "without", "difference to the baseline", "reward of one_shot", "same batch"
"""-L; L_B - L; (L_B - L) / L_B, which is what the method learns from; -L of both on the same batches."""

WAYS = (WITHOUT, WITH, RELATIVE, PAIRED)
SURE = 0.95
QUANTILE = 1.645
"""Of the standard normal distribution, at `SURE`."""

DISTINCT = 2.0
"""Standard errors over rows of validation that two sub-networks must lie apart to have a right order."""


@dataclass(frozen=True, eq=False)
class Records:
    """Mean losses on each batch, `batches` [models, N] and `baseline` [N], and on rows of validation [models, rows]."""

    batches: Matrix
    baseline: Vector
    valid: Matrix

    def rewards(self, model: int) -> dict[str, Vector]:
        """Of a model on each batch, [N], by the ways in which both of a pair are on batches of their own."""
        losses = self.batches[model]
        relative = np.array([rewards([one], base, [0.0])[0] for one, base in zip(losses, self.baseline, strict=True)])
        return {WITHOUT: -losses, WITH: self.baseline - losses, RELATIVE: relative}


@dataclass(frozen=True)
class Order:
    """How a pair comes into order in one way.

    batches       that it takes; None where those on record do not do
    closed_form   the same by the closed form, which looks beyond the record; None where the mean of the record has the
                  wrong sign
    noise         (s / m)^2, to which batches are proportional
    """

    batches: int | None
    closed_form: float | None
    noise: float


@dataclass(frozen=True, eq=False)
class Resamples:
    """`count` draws of N batches with replacement for each of a pair, int [count, N]; all ways and pairs have these."""

    first: NDArray[np.int64]
    second: NDArray[np.int64]

    @classmethod
    def drawn(cls, batches: int, count: int, rng: np.random.Generator) -> Resamples:
        """For records of so many batches."""
        first, second = rng.integers(0, batches, (2, count, batches))
        return cls(first, second)


def validation_gap(records: Records, first: int, second: int) -> tuple[float, float]:
    """By how much the first is better on rows of validation, in nats, and the standard error of that."""
    gaps = records.valid[second] - records.valid[first]
    return float(gaps.mean()), float(gaps.std(ddof=1)) / math.sqrt(len(gaps))


def orders(records: Records, first: int, second: int, sign: float, drawn: Resamples) -> Mapping[str, Order]:
    """A pair in each way; `sign` is positive where the first is the better one."""
    ours, theirs = records.rewards(first), records.rewards(second)
    found = {}
    for way in ours:
        right, left = sign * ours[way], sign * theirs[way]
        variance = float(right.var(ddof=1) + left.var(ddof=1))
        steps = right[drawn.first] - left[drawn.second]
        found[way] = _order(steps, float(right.mean() - left.mean()), variance)
    apart = sign * (records.batches[second] - records.batches[first])
    found[PAIRED] = _order(apart[drawn.first], float(apart.mean()), float(apart.var(ddof=1)))
    return found


def batches_needed(steps: Matrix) -> int | None:
    """The fewest from which on the running mean of the differences, [resamples, N], is right in 95 % of resamples.

    >>> batches_needed(np.array([[-1.0, 2.0, 2.0, -1.0]]))
    2
    """
    shares = (np.cumsum(steps, axis=1) > 0.0).mean(axis=0)
    unsure = np.flatnonzero(shares < SURE)
    needed = int(unsure[-1]) + 2 if len(unsure) else 1
    return needed if needed <= steps.shape[1] else None


def _order(steps: Matrix, mean: float, variance: float) -> Order:
    noise = variance / mean**2 if mean else math.inf
    return Order(batches_needed(steps), max(1.0, QUANTILE**2 * noise) if mean > 0.0 else None, noise)
