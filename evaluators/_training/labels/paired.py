"""How much better than the control a candidate is on the same rows.

Rows that are hard for one model are hard for all: the difference of two losses on the same rows varies far less
from sample to sample than either loss.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Metric
from evaluators._training.jackknife import BLOCKS
from evaluators._training.labels.calibration import calibrated_ne
from evaluators._training.metrics import normalised_entropy

Vector = NDArray[np.float64]


def ne_gain(losses: Vector, control: Vector, labels: Vector, *, blocks: int = BLOCKS) -> Metric:
    """NE of the control less that of the candidate, above 0 where the candidate is better.

    All are [n], row by row in the order of time; H(q) moves with the block that is left out.

    Raises:
        EvaluatorError: the lengths differ, or the labels are all of one class.
    """
    _check_rows(losses, control, labels)
    gain = normalised_entropy(control, labels, blocks=blocks) - normalised_entropy(losses, labels, blocks=blocks)
    return gain.metric()


def calibrated_ne_gain(logits: Vector, control: Vector, labels: Vector, *, blocks: int = BLOCKS) -> Metric:
    """The same from logits, each model with its intercept refitted.

    Raises:
        EvaluatorError: the lengths differ, the labels are all of one class, or a logit is not finite.
    """
    _check_rows(logits, control, labels)
    return (calibrated_ne(control, labels, blocks=blocks) - calibrated_ne(logits, labels, blocks=blocks)).metric()


def _check_rows(candidate: Vector, control: Vector, labels: Vector) -> None:
    if not len(candidate) == len(control) == len(labels):
        raise EvaluatorError(
            f"a paired difference needs the same rows, but candidate, control and labels have {len(candidate)}, "
            f"{len(control)} and {len(labels)}; score both on one part"
        )
