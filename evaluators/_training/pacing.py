"""Runs a trial for a few batches only, through the code of whole trials, and tells how long the whole one takes.

A stand-in for the examples notes the time at which each batch is asked for and ends a pass early: what lies
between two such moments is one whole step, gather, forward, backward, update and progress included.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from statistics import median
from typing import cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluators._training.examples import WINDOW_ROWS, Batch, Examples
from evaluators._training.loop import SCORING_BATCH
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Stream

WARM_STEPS = 4
"""Steps that are counted as they were, not by the median: memory is touched and kernels are chosen in them."""

SYNCHRONISED_STEPS = 8
"""Steps on an accelerator between two readings of the clock, each of which waits for it."""

SCORED_BATCHES = 6
"""Batches of `SCORING_BATCH` that stand in for a held-out part."""

Clock = Callable[[], float]


@dataclass(frozen=True)
class Limit:
    """How much of a training is rehearsed: at most `steps`, and past `least` of them at most `seconds`."""

    steps: int = 240
    seconds: float = 2.5
    least: int = 12


@dataclass
class Pace:
    """Moments of one run through batches: the first is its begin, each other the end of `every` more batches."""

    every: int
    moments: list[float] = field(default_factory=list)

    @property
    def steps(self) -> int:
        """Batches that are timed."""
        return self.every * max(0, len(self.moments) - 1)

    @property
    def seconds(self) -> float:
        """From the first moment to the last."""
        return self.moments[-1] - self.moments[0] if self.moments else 0.0

    def per_step(self) -> float:
        """Median seconds a batch after the warm-up; the mean where there is no more than that."""
        durations = [later - earlier for earlier, later in zip(self.moments, self.moments[1:], strict=False)]
        settled = durations[math.ceil(WARM_STEPS / self.every) :]
        if settled:
            return median(settled) / self.every
        return self.seconds / self.steps if self.steps else 0.0

    def whole(self, steps: float) -> float:
        """Seconds that `steps` batches take: those of the warm-up as they were, all others by the median."""
        warm = math.ceil(WARM_STEPS / self.every)
        if steps <= self.every * warm or len(self.moments) <= warm:
            return self.per_step() * steps
        return self.moments[warm] - self.moments[0] + (steps - self.every * warm) * self.per_step()

    def first_extra(self) -> float:
        """Seconds by which the first reading came later than the median says: data is opened and read ahead there."""
        if len(self.moments) < 2:
            return 0.0
        return max(0.0, self.moments[1] - self.moments[0] - self.every * self.per_step())


class Paced:
    """Examples that note when batches are asked for; `rows` are those of the part that may be seen.

    A run through batches ends where `limit` says so.
    """

    def __init__(
        self,
        examples: Examples,
        *,
        limit: Limit,
        rows: NDArray[np.int64] | None = None,
        clock: Clock = time.perf_counter,
    ) -> None:
        self.device = examples.device
        self.runs: list[Pace] = []
        self._examples = examples
        self._limit = limit
        self._rows = rows
        self._clock = clock
        self._every = SYNCHRONISED_STEPS if examples.device.type == "cuda" else 1

    def __len__(self) -> int:
        """How many rows."""
        return len(self._examples) if self._rows is None else len(self._rows)

    @property
    def labels(self) -> NDArray[np.float64]:
        """All labels in row order, [rows]."""
        labels = self._examples.labels
        return labels if self._rows is None else labels[self._rows]

    def batches(self, order: NDArray[np.int64], size: int) -> Iterator[Batch]:
        """The first batches of that order."""
        return self.stream((order,), size)

    def stream(self, orders: Iterable[NDArray[np.int64]], size: int) -> Iterator[Batch]:
        """The first batches of these orders, one after the other."""
        pace = Pace(self._every)
        self.runs.append(pace)
        seen = self._rows
        source = self._examples.stream(orders if seen is None else (seen[order] for order in orders), size)
        number = 0
        while True:
            if number % pace.every == 0:
                pace.moments.append(self._now())
            if self._is_over(number, pace):
                return
            batch = next(source, None)
            if batch is None:
                return
            yield batch
            number += 1

    def _is_over(self, number: int, pace: Pace) -> bool:
        limit = self._limit
        return number >= limit.steps or (number >= limit.least and pace.seconds > limit.seconds)

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return self._clock()


@dataclass(frozen=True)
class Rehearsed:
    """Data that shows a few batches of each part, and what came of it."""

    train: Paced
    valid: Paced
    whole: SearchData

    @classmethod
    def of(cls, data: SearchData, limit: Limit) -> Rehearsed:
        """The training part as it is, and the first rows of the validation part."""
        every_batch = Limit(steps=2**62, seconds=math.inf)
        return cls(Paced(data.train, limit=limit), Paced(data.valid, limit=every_batch, rows=_first(data.valid)), data)

    @property
    def data(self) -> SearchData:
        """As the code of whole trials takes it."""
        train = cast(Examples, self.train)
        return SearchData(self.whole.schema, train, cast(Examples, self.valid), Stream(train, kept_bytes=0))

    def whole_seconds(self, wall_seconds: float, settings: TrainingSettings) -> float:
        """Seconds of the whole trial, where the few batches took `wall_seconds` with all that goes with them."""
        training, scoring = self.train.runs, self.valid.runs[0]
        others = wall_seconds - sum(run.seconds for run in training) - scoring.seconds
        windows = settings.passes * math.ceil(self.rows(settings) / WINDOW_ROWS)
        reading = (windows - settings.passes) * training[0].first_extra()
        steps, scored = self.steps(settings), len(self.whole.valid) / SCORING_BATCH
        return others + training[0].whole(steps) + reading + scoring.whole(scored)

    def steps(self, settings: TrainingSettings) -> int:
        """Steps of the whole training."""
        return settings.passes * math.ceil(self.rows(settings) / settings.batch_size)

    def rows(self, settings: TrainingSettings) -> int:
        """Rows of one pass."""
        total = len(self.whole.train)
        return min(settings.rows or total, total)


def first_batch(examples: Examples, rows: int) -> Batch:
    """Up to `rows` of the most recent rows."""
    order = np.arange(max(0, len(examples) - rows), len(examples), dtype=np.int64)
    return next(iter(examples.batches(order, rows)))


def _first(examples: Examples) -> NDArray[np.int64]:
    """The first rows of the part, one of each class among them: a part of one class has no quality."""
    labels = examples.labels
    first = np.arange(min(len(labels), SCORED_BATCHES * SCORING_BATCH), dtype=np.int64)
    classes = [int(np.argmax(labels > 0.5)), int(np.argmin(labels > 0.5))]
    return np.unique(np.concatenate([first, np.asarray(classes, np.int64)]))


def is_finite(value: Tensor) -> bool:
    """Whether no number of it is infinite or NaN."""
    return bool(torch.isfinite(value).all())
