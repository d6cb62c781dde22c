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

BLOCKS = 50
"""Contiguous blocks that the standard errors are taken over: neighbouring rows are not independent."""

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


def quality(logits: Vector, labels: Vector) -> dict[str, Metric]:
    """ne, logloss (both with a standard error), auc, calibration (mean p / mean y).

    Raises:
        EvaluatorError: the labels are all of one class, so that NE and AUC are not defined.
    """
    logits, labels = np.asarray(logits, np.float64), np.asarray(labels, np.float64)
    rate = float(labels.mean()) if len(labels) else 0.0
    if not 0.0 < rate < 1.0:
        raise EvaluatorError(
            f"NE and AUC need rows of both classes, but {len(labels)} rows have base rate {rate}; "
            "evaluate on a larger part"
        )
    losses = row_losses(logits, labels)
    loss = float(losses.mean())
    ne_error, loss_error = _jackknife(losses, labels)
    return {
        "ne": Metric(loss / entropy(rate), ne_error),
        "auc": Metric(area_under_curve(logits, labels)),
        "logloss": Metric(loss, loss_error),
        "calibration": Metric(float(probabilities(logits).mean()) / rate),
    }


def _average_ranks(values: Vector) -> Vector:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    average: Vector = (last - (counts - 1) / 2.0)[place.reshape(-1)]
    return average


def _jackknife(losses: Vector, labels: Vector) -> tuple[float | None, float | None]:
    """Standard errors of NE and log loss: leave one block out (Kuensch 1989), H(q) moving with the block."""
    blocks = min(BLOCKS, len(losses))
    if blocks < 2:
        return None, None
    starts = np.linspace(0, len(losses), blocks, endpoint=False).astype(np.int64)
    left = len(losses) - np.diff(np.append(starts, len(losses)))
    loss = (losses.sum() - np.add.reduceat(losses, starts)) / left
    rate = (labels.sum() - np.add.reduceat(labels, starts)) / left
    entropies = np.array([entropy(float(one)) for one in rate])
    ne = None if np.any(entropies == 0.0) else _spread(loss / entropies)
    return ne, _spread(loss)


def _spread(estimates: Vector) -> float:
    return float(np.sqrt((len(estimates) - 1) * estimates.var()))
