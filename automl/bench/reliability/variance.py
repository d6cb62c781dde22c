"""Variance components of labels: candidates in rows, replicates in columns.

Letters: c candidates, k replicates. A label is measured on one half of the evaluation rows, `label` [c, k], and what
it should tell on the other half, `truth` [c, k], so that neither seeds nor rows are shared where replicates differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Measured:
    """One label on both halves of the evaluation rows and on all of them, each [c, k]."""

    half: Matrix
    other: Matrix
    whole: Matrix


def between(one: Matrix, other: Matrix) -> float:
    """Variance of the candidates' own quality: the mean covariance over candidates of two different replicates.

    >>> between(np.array([[1.0, 1.0], [3.0, 3.0]]), np.array([[1.0, 1.0], [3.0, 3.0]]))
    2.0
    """
    count, replicates = one.shape
    products = (one - one.mean(0)).T @ (other - other.mean(0)) / (count - 1)
    return float((products.sum() - np.trace(products)) / (replicates * (replicates - 1)))


def total(label: Matrix) -> float:
    """Variance of a label of any candidate under any seed, what a seed adds to all candidates included.

    The mean over replicates of the variance over candidates, and the variance of the replicates' means beyond what
    follows from the former.
    """
    within = float(label.var(0, ddof=1).mean())
    return within + max(0.0, float(label.mean(0).var(ddof=1)) - within / len(label))


def reliability(label: Matrix, truth: Matrix) -> float:
    """The candidates' share of the variance of a label, measured on two halves of the rows.

    Candidates may differ more on one half than on the other: the variance is the geometric mean of both.
    """
    return _ratio(between(label, truth), math.sqrt(total(label) * total(truth)))


def reliability_under_one_seed(label: Matrix, truth: Matrix) -> float:
    """The same among candidates trained under one seed, as in one study: what a seed adds to all drops out."""
    within = [float(one.var(0, ddof=1).mean()) for one in (label, truth)]
    return _ratio(between(label, truth), math.sqrt(within[0] * within[1]))


def rank_reliability(label: Matrix, truth: Matrix) -> float:
    """The same of ranks among the candidates of a replicate: no candidate far from the others decides it."""
    return reliability_under_one_seed(_ranks(label), _ranks(truth))


def share_of_truth(label: Measured, truth: Measured) -> float:
    """Squared correlation of one label with a truth without noise, negative where the order is reversed.

    The truth is another label: its noise is taken out by its own covariance between halves and replicates, so it may
    stand on another scale.
    """
    covariance = (between(label.half, truth.other) + between(label.other, truth.half)) / 2.0
    variance = math.sqrt(total(label.half) * total(label.other)) * between(truth.half, truth.other)
    return math.copysign(_ratio(covariance**2, variance), covariance)


def worth(ours: float, naive: float) -> float:
    """Replicates n of the naive label whose mean is as reliable: n r / (1 + (n - 1) r) = ours.

    Spearman (1910), Correlation calculated from faulty data; Brown (1910). Infinite where the naive label has no
    reliability at all, or ours no noise; zero where ours has none.

    >>> round(worth(0.70, 0.42), 2)
    3.22
    """
    if ours <= 0.0:
        return 0.0
    if naive <= 0.0 or ours >= 1.0:
        return math.inf
    return ours * (1.0 - naive) / (naive * (1.0 - ours)) if naive < 1.0 else 0.0


def resamples(count: int, times: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Candidates drawn with replacement, [times, count]; at least three different ones each."""
    drawn: NDArray[np.int64] = rng.integers(0, count, (times, count))
    return drawn[[len(np.unique(row)) >= min(3, count) for row in drawn]]


def interval(values: Matrix) -> list[float | None]:
    """The middle 95 % of resampled values; None for an end that is not finite."""
    ends = np.quantile(np.sort(values), (0.025, 0.975), method="nearest")
    return [round(float(one), 4) if np.isfinite(one) else None for one in ends]


def _ranks(label: Matrix) -> Matrix:
    return label.argsort(0).argsort(0).astype(np.float64)


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0.0 else 0.0
