"""Labels made of what trainings left, each on halves of the validation rows: below, c candidates, k replicates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from automl.bench.reliability.trainings import CONTROL, Bench
from automl.bench.reliability.variance import Measured
from evaluators._training.jackknife import Estimate
from evaluators._training.labels.calibration import calibrated
from evaluators._training.labels.progressive import Batches, progressive_ne
from evaluators._training.metrics import normalised_entropy, row_losses

BLOCK_ROWS = 64
"""Rows of a block: every other block is of one half, so that both halves see all days."""

Vector = NDArray[np.float64]
Left = Mapping[str, Vector]


class Labels:
    """NE of trainings on some validation rows, and how much a control of the same seed has more of it."""

    def __init__(self, labels: Vector, rows: NDArray[np.bool_]) -> None:
        self._labels, self._rows = labels[rows], rows

    def ne(self, logits: Vector, *, is_calibrated: bool = False) -> Estimate:
        """NE on the rows, after refitting the intercept on them where that is asked for."""
        chosen = logits[self._rows]
        if is_calibrated:
            chosen = calibrated(chosen, self._labels)
        return normalised_entropy(row_losses(chosen, self._labels), self._labels)

    def all_of(self, ours: Left, control: Left, naive: Left) -> dict[str, float]:
        """Every label of one candidate and one replicate, larger where better."""
        batches = Batches(ours["rows"], ours["clicks"])
        progressive, beside = (progressive_ne(one["losses"], batches) for one in (ours, control))
        gain, stream_gain = self.ne(control["averaged"]) - self.ne(ours["averaged"]), beside - progressive
        refitted = [self.ne(one["averaged"], is_calibrated=True).value for one in (control, ours)]
        return {
            "naive loop, last weights": -self.ne(naive["last"]).value,
            "last weights": -self.ne(ours["last"]).value,
            "averaged weights": -self.ne(ours["averaged"]).value,
            "last weights, paired": (self.ne(control["last"]) - self.ne(ours["last"])).value,
            "averaged weights, paired": gain.value,
            "averaged weights, paired, calibrated": refitted[0] - refitted[1],
            "progressive": -progressive.value,
            "progressive, paired": stream_gain.value,
            "mix of paired hold-out and progressive": mixed(gain, stream_gain),
        }


NAIVE = "naive loop, last weights"
DEFAULT = "averaged weights, paired"
TRUTH = "averaged weights, paired"
ON_THE_STREAM = ("progressive", "progressive, paired", "mix of paired hold-out and progressive")
"""Labels that see rows of the training stream, which all replicates share."""


def mixed(one: Estimate, other: Estimate) -> float:
    """Mean of two estimates, each with the inverse of its variance from blocks."""
    found = [(estimate.value, estimate.metric().stderr) for estimate in (one, other)]
    weights = [1.0 / error**2 if error else 0.0 for _, error in found]
    if not sum(weights):
        return float(np.mean([value for value, _ in found]))
    return sum(weight * value for weight, (value, _) in zip(weights, found, strict=True)) / sum(weights)


class Collected:
    """Labels of all candidates whose trainings are complete."""

    def __init__(self, bench: Bench, replicates: int) -> None:
        self._bench, self._replicates = bench, range(replicates)

    @cached_property
    def complete(self) -> list[int]:
        """Candidates that both loops have trained under every seed, the control beside them."""
        return [one for one in self._bench.candidates if one != CONTROL and all(map(bool, self._of(one)))]

    @property
    def diverged(self) -> list[int]:
        """Candidates that diverged at least once: they are left out of all labels."""
        return [
            one
            for one in self._bench.candidates
            if any(self._bench.diverged(method, one, at) for method in ("ours", "naive") for at in self._replicates)
        ]

    def labels(self) -> dict[str, Measured]:
        """By name, on one half of the rows, on the other, and on all."""
        labels = self._bench.data.valid.labels
        first = np.arange(len(labels)) // BLOCK_ROWS % 2 == 0
        tables = [self._table(Labels(labels, rows)) for rows in (first, ~first, np.ones(len(labels), bool))]
        return {name: Measured(*(table[name] for table in tables)) for name in tables[0]}

    def _table(self, labels: Labels) -> dict[str, NDArray[np.float64]]:
        rows = [[labels.all_of(*self._left(one, at)) for at in self._replicates] for one in self.complete]
        names = rows[0][0]
        return {name: np.array([[found[name] for found in row] for row in rows]) for name in names}

    def _left(self, number: int, replicate: int) -> tuple[Left, Left, Left]:
        found = [self._bench.read(method, one, replicate) for method, one in _asked(number)]
        return tuple(found)  # type: ignore[return-value]  # complete candidates have all three

    def _of(self, number: int) -> Sequence[object]:
        return [self._bench.read(method, one, at) for at in self._replicates for method, one in _asked(number)]


def _asked(number: int) -> tuple[tuple[str, int], ...]:
    return (("ours", number), ("ours", CONTROL), ("naive", number))
