"""Quality of predicted click probabilities against labels, in numpy.

Letters: y label in {0, 1}, s logit, p = 1 / (1 + exp(-s)), q base rate (mean y), H(q) its entropy in nats,
n rows. NE (normalised entropy; He et al. 2014, Practical lessons from predicting clicks on ads at
Facebook) is the mean log loss over H(q): below 1 is better than always predicting q.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Metric
from evaluators._training.jackknife import BLOCKS, Estimate, without_each_block

Vector = NDArray[np.float64]


def row_losses(logits: Vector, labels: Vector) -> Vector:
    """Log loss of each row in nats, [n]; finite for every finite logit.

    >>> row_losses(np.array([0.0, 1000.0]), np.array([1.0, 0.0])).round(3).tolist()
    [0.693, 1000.0]
    """
    loss: Vector = np.logaddexp(0.0, logits) - labels * logits
    return loss


def entropy(rate: float) -> float:
    """H(q) in nats, 0 at both ends."""
    return float(-sum(q * np.log(q) for q in (rate, 1.0 - rate) if q > 0.0))


def probabilities(logits: Vector) -> Vector:
    """1 / (1 + exp(-s)) without overflow, [n]."""
    probability: Vector = np.exp(-np.logaddexp(0.0, -logits))
    return probability


def area_under_curve(logits: Vector, labels: Vector) -> float:
    """Probability that a click outranks a non-click, a tie counting one half (Mann and Whitney 1947)."""
    clicks = float(labels.sum())
    others = len(labels) - clicks
    ranks = _average_ranks(logits)
    return float((ranks[labels > 0.5].sum() - clicks * (clicks + 1.0) / 2.0) / (clicks * others))


def base_rate(clicks: float, rows: float, *, needing: str = "NE needs") -> float:
    """q of so many clicks on so many rows.

    Raises:
        EvaluatorError: the rows are all of one class, or none; `needing` begins the sentence.
    """
    rate = clicks / rows if rows else 0.0
    if not 0.0 < rate < 1.0:
        raise EvaluatorError(
            f"{needing} rows of both classes, but {rows:.0f} rows have base rate {rate}; evaluate on a larger part"
        )
    return rate


def normalised_entropy(losses: Vector, clicks: Vector, rows: Vector | None = None, *, blocks: int = BLOCKS) -> Estimate:
    """NE of rows, or of batches that sum `losses` and `clicks` over `rows` rows each, all [n] in the order of time.

    Without a block H(q) is that of the rows that are left, so the error includes that of the base rate.

    Raises:
        EvaluatorError: the rows are all of one class.
    """
    counts = np.ones(len(losses)) if rows is None else rows
    rate = base_rate(float(clicks.sum()), float(counts.sum()))
    value = float(losses.sum() / counts.sum()) / entropy(rate)
    loss, entropies = _without_each_block(losses, clicks, counts, blocks)
    return Estimate(value, None if entropies is None else loss / entropies)


def quality(logits: Vector, labels: Vector) -> dict[str, Metric]:
    """ne, logloss (both with a standard error), auc, calibration (mean p / mean y).

    Raises:
        EvaluatorError: the labels are all of one class, so that NE and AUC are not defined.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.float64)
    rate = base_rate(float(labels.sum()), len(labels), needing="NE and AUC need")
    losses = row_losses(logits, labels)
    return {
        "ne": normalised_entropy(losses, labels).metric(),
        "auc": Metric(area_under_curve(logits, labels)),
        "logloss": _mean(losses).metric(),
        "calibration": Metric(float(probabilities(logits).mean()) / rate),
    }


def _average_ranks(values: Vector) -> Vector:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    average: Vector = (last - (counts - 1) / 2.0)[place.reshape(-1)]
    return average


def _mean(losses: Vector) -> Estimate:
    left = None if len(losses) < 2 else without_each_block(losses) / without_each_block(np.ones(len(losses)))
    return Estimate(float(losses.mean()), left)


def _without_each_block(losses: Vector, clicks: Vector, rows: Vector, blocks: int) -> tuple[Vector, Vector | None]:
    """Mean loss and H(q) of the rows that are left, both [blocks]; no H(q) where what is left is of one class."""
    left = without_each_block(rows, blocks)
    if not left.all():
        return left, None
    rates = without_each_block(clicks, blocks) / left
    entropies = np.array([entropy(float(rate)) for rate in rates])
    return without_each_block(losses, blocks) / left, entropies if entropies.all() else None
