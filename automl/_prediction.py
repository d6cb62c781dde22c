"""What a search will take, from a few rehearsed trials: pure arithmetic, so that it can be checked by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Any, Protocol

import numpy as np

from automl._machine import readable
from automl.budget import Budget

LOW, HIGH = 10.0, 90.0
"""Percentiles of the rehearsed trials that bound a range: a search may drift to small candidates or to large ones."""

BUSY = 0.5
"""Load on each core from which times of a rehearsal say little."""

BYTES_PER_PARAMETER = 16
"""A weight, its gradient and the two moments of Adam, each fp32."""


@dataclass(frozen=True)
class Range:
    """A number that is expected, between two that are likely."""

    low: float
    expected: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Range:
        """Mean and outer percentiles."""
        low, high = np.percentile(values, [LOW, HIGH])
        return cls(float(low), fmean(values), float(high))

    def times(self, factor: float, *, plus: float = 0.0) -> Range:
        """Each number times `factor`, plus the same for all."""
        return Range(self.low * factor + plus, self.expected * factor + plus, self.high * factor + plus)


@dataclass(frozen=True)
class Trials:
    """How many trials of the search stage a budget allows, and which of its limits says so."""

    count: int | None
    limit: str = ""


def allowed_trials(budget: Budget, *, seconds: float, rows: int) -> Trials:
    """The trials until the first limit is reached, where each takes so many seconds and rows.

    >>> allowed_trials(Budget(trials=100, seconds=60.0), seconds=2.0, rows=1000)
    Trials(count=30, limit='seconds')
    """
    limits = {
        "trials": budget.trials,
        "seconds": None if budget.seconds is None else math.ceil(budget.seconds / max(seconds, 1e-9)),
        "rows": None if budget.rows is None else math.ceil(budget.rows / max(rows, 1)),
    }
    known = {name: count for name, count in limits.items() if count is not None}
    if not known:
        return Trials(None)
    limit = min(known, key=lambda name: known[name])
    return Trials(known[limit], limit)


def predicted_hours(trial_seconds: Range, *, trials: int, fixed_seconds: float, workers: int) -> Range:
    """Wall-clock hours of the whole budget: what is due once, then trials side by side on all workers.

    >>> predicted_hours(Range(9.0, 18.0, 36.0), trials=400, fixed_seconds=0.0, workers=2)
    Range(low=0.5, expected=1.0, high=2.0)
    """
    return trial_seconds.times(trials / workers / 3600.0, plus=fixed_seconds / 3600.0)


@dataclass(frozen=True)
class MemoryNeed:
    """Bytes: of one trial that nobody can take back, its peak with pages of the data, and what the machine has.

    `largest` is `own` of the largest of many random candidates, by its parameters.
    """

    own: int
    peak: Range
    largest: int
    data: int
    has: int
    workers: int = 1

    @property
    def fits(self) -> bool:
        """Whether all workers may run their largest trial at once."""
        return self.largest * self.workers <= self.has


@dataclass(frozen=True)
class DiskNeed:
    """Bytes a trial, where known, of the whole budget, of an exported winner, and what is free beside the store."""

    store_per_trial: float
    tracker_per_trial: float | None
    budget: float | None
    weights: Range
    free: int

    @property
    def fits(self) -> bool:
        """Whether what is known to come fits."""
        return (self.budget or 0.0) + self.weights.high <= self.free


@dataclass(frozen=True)
class Prediction:
    """Everything that is predicted of a search; `trials` is None where nothing limits it."""

    device: str
    workers: int
    trials: int | None
    limited_by: str
    trial_seconds: Range
    step_seconds: Range
    start_seconds: float
    hours: Range | None
    memory: MemoryNeed
    disk: DiskNeed
    rehearsed: int
    load_per_core: float

    def to_dict(self) -> dict[str, Any]:
        """JSON types only."""
        return asdict(self)


class Limits(Protocol):
    """Limits of a trial, as the evaluator has them."""

    timeout_seconds: float
    memory_limit_mb: int | None


def warnings_of(found: Prediction, *, budget: Budget, limits: Limits) -> list[str]:
    """What will not fit or will not be reached, each with the way out."""
    slowest = found.trial_seconds.high
    texts = [*_memory_warnings(found.memory, limits.memory_limit_mb), *_disk_warnings(found.disk)]
    if budget.trials and found.limited_by == "seconds":
        hours = budget.trials * found.trial_seconds.expected / 3600.0
        texts.append(
            f"{budget.trials} trials take about {hours:.2g} hours, but budget.seconds ends the search after "
            f"{(budget.seconds or 0.0) / 3600.0:.2g}, at about trial {found.trials}; raise it, or lower rows or trials"
        )
    if slowest > limits.timeout_seconds:
        texts.append(
            f"a trial may take {limits.timeout_seconds:g} seconds, but some will need about {slowest:.0f}; "
            "raise evaluator.timeout_seconds, or lower rows"
        )
    if found.load_per_core > BUSY:
        texts.append(
            f"the machine is busy with other work (load {found.load_per_core:.1f} a core), so the hours are rough; "
            "ask again when it is idle"
        )
    return texts


def _memory_warnings(memory: MemoryNeed, limit_mb: int | None) -> list[str]:
    texts = []
    if not memory.fits:
        texts.append(
            f"{memory.workers} trials at once may need {readable(memory.largest * memory.workers)} of memory, but the "
            f"machine has {readable(memory.has)} to give; take fewer workers, narrower widths or a hash_cap"
        )
    if limit_mb is not None and memory.largest > limit_mb * 2**20:
        texts.append(
            f"a trial may need {readable(memory.largest)} of memory, but evaluator.memory_limit_mb allows "
            f"{readable(limit_mb * 2**20)}; raise it, or take narrower widths or a hash_cap"
        )
    return texts


def _disk_warnings(disk: DiskNeed) -> list[str]:
    if disk.fits:
        return []
    need = readable((disk.budget or 0.0) + disk.weights.high)
    return [f"the search leaves about {need}, but {readable(disk.free)} are free beside the store; make room"]
