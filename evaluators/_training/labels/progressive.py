"""Progressive validation: the loss of each batch before the update on it, an unbiased loss on rows not seen yet.

Only the last part of the pass counts: at its beginning the loss tells how fast a model learns.

Letters: per step the sum of losses in nats, the rows and the clicks of its batch, all [steps].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._training.jackknife import BLOCKS, Estimate, block_sums
from evaluators._training.metrics import base_rate, entropy, normalised_entropy

Vector = NDArray[np.float64]

TAIL = 0.5
"""Share of the rows, the last ones, that a label is the mean over."""


@dataclass(frozen=True, eq=False)
class Batches:
    """What the members of a cohort share: the rows and the clicks of each batch, [steps].

    Raises:
        EvaluatorError: the lengths differ, or a batch has no rows.
    """

    rows: Vector
    clicks: Vector

    def __post_init__(self) -> None:
        if len(self.rows) != len(self.clicks) or not (self.rows > 0).all():
            raise EvaluatorError(
                f"each batch needs rows and a number of clicks, but there are {len(self.rows)} and {len(self.clicks)} "
                f"of them, the fewest rows {self.rows.min(initial=0):.0f}; count both for every step"
            )

    def tail(self, share: float = TAIL) -> slice:
        """The steps that hold the last `share` of the rows, whole batches within it; at least the last step."""
        before = np.cumsum(self.rows) - self.rows
        start = int(np.searchsorted(before, (1.0 - share) * self.rows.sum()))
        return slice(min(start, len(self.rows) - 1), len(self.rows))


def progressive_ne(losses: Vector, batches: Batches, *, share: float = TAIL, blocks: int = BLOCKS) -> Estimate:
    """NE over the last `share` of the rows, the error from blocks of neighbouring batches.

    Raises:
        EvaluatorError: there are not as many losses as batches, or the rows are all of one class.
    """
    _check_steps(losses, batches)
    tail = batches.tail(share)
    return normalised_entropy(losses[tail], batches.clicks[tail], batches.rows[tail], blocks=blocks)


def progressive_gain(
    losses: Vector, control: Vector, batches: Batches, *, share: float = TAIL, blocks: int = BLOCKS
) -> Estimate:
    """NE of the control less that of the candidate on the same batches, above 0 where the candidate is better.

    Raises:
        EvaluatorError: there are not as many losses as batches, or the rows are all of one class.
    """
    own = progressive_ne(losses, batches, share=share, blocks=blocks)
    return progressive_ne(control, batches, share=share, blocks=blocks) - own


@dataclass(frozen=True, eq=False)
class Curve:
    """Gains over windows of the tail: `rows` seen by the middle of each, in logarithms, and `gains`, [windows]."""

    rows: Vector
    gains: Vector


def gain_curve(losses: Vector, control: Vector, batches: Batches, *, share: float = TAIL, windows: int = 16) -> Curve:
    """Paired gain in NE over each of several windows of the last `share` of the rows.

    All windows are over one H(q), that of the tail: that the base rate moves is not a change of the models.

    Raises:
        EvaluatorError: there are not as many losses as batches, or the rows are all of one class.
    """
    _check_steps(losses, batches)
    _check_steps(control, batches)
    tail = batches.tail(share)
    rows, clicks = batches.rows[tail], batches.clicks[tail]
    scale = entropy(base_rate(float(clicks.sum()), float(rows.sum())))
    counts = block_sums(rows, windows)
    gains = block_sums(control[tail] - losses[tail], windows) / counts / scale
    seen = np.append(np.cumsum(batches.rows)[tail.start] - rows[0] + np.cumsum(counts) - counts, batches.rows.sum())
    # the middle in logarithms; of a window that begins at row 0, the middle in rows
    middle = np.where(seen[:-1] > 0, np.sqrt(seen[:-1] * seen[1:]), seen[1:] / 2.0)
    return Curve(middle, gains)


def _check_steps(losses: Vector, batches: Batches) -> None:
    if len(losses) != len(batches.rows):
        raise EvaluatorError(
            f"a stream needs one loss for each batch, but has {len(losses)} for {len(batches.rows)}; "
            "sum the loss at every step"
        )
