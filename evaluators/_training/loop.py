"""The training loop of a cohort: seeded batches, no wait for the device between checks."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from evaluators._errors import DivergedError
from evaluators._evaluation import Point
from evaluators._training.cohort import Cohort
from evaluators._training.examples import WINDOW_ROWS, Examples
from evaluators._training.stream import Plan, Stream

POINTS_PER_PASS = 20
"""Points of the learning curve in one pass: enough to read any rung of a ladder from the curve of a full training."""

STEPS_PER_CHECK = 50
"""Steps between looks at the losses: each look waits for the device."""

SCORING_BATCH = 4096
"""Rows scored at once on a held-out part."""

HORIZON_SHARE = 0.1
"""Share of all steps that the moving average of the weights looks back over."""

AVERAGES_PER_HORIZON = 8
"""How often weights are averaged within that: more often costs a look at every row of the tables and gains nothing."""

Vector = NDArray[np.float64]


@dataclass
class Course:
    """What one member's training was: loss of each batch before its update, in nats summed over the batch, [steps]."""

    losses: Vector
    stopped_at: int | None = None
    error: DivergedError | None = None


@dataclass
class Courses:
    """The courses of a cohort by member, with rows and clicks of the batches that all of them saw, [steps]."""

    rows: NDArray[np.int64]
    clicks: Vector
    of: dict[int, Course] = field(default_factory=dict)

    def curve(self, number: int) -> tuple[Point, ...]:
        """Progressive log loss, each point over the rows since the last."""
        losses = self.of[number].losses
        seen = np.cumsum(self.rows[: len(losses)])
        every = math.ceil(seen[-1] / POINTS_PER_PASS) if self.of[number].stopped_at else self.every
        points, before, start = [], 0, 0
        for at, rows in enumerate(seen):
            if rows - before >= every or at == len(losses) - 1:
                loss = float(losses[start : at + 1].sum() / (rows - before))
                points.append(Point(int(rows), {"train_logloss": loss}))
                before, start = int(rows), at + 1
        return tuple(points)

    every: int = 1
    """Rows of a point."""


Judge = Callable[[Mapping[int, Vector], NDArray[np.int64], float], list[int]]
"""Takes the losses of the running members [steps], rows of the batches and the share that is done; says who stops."""


def train(cohort: Cohort, stream: Stream, plan: Plan, *, judge: Judge | None = None) -> Courses:
    """Trains in place: models of members that have not left have averaged weights afterwards.

    Each row weighs the same: the last batch of a pass, where smaller, takes a smaller step. A member whose loss is no
    finite number leaves with its error, one that the judge stops with its last weights; the others do not notice.
    """
    return _Run(cohort, stream, plan, judge).courses()


class _Run:
    def __init__(self, cohort: Cohort, stream: Stream, plan: Plan, judge: Judge | None) -> None:
        self._cohort, self._stream, self._plan, self._judge = cohort, stream, plan, judge
        self._steps = plan.passes * math.ceil(plan.rows / plan.batch_size)
        self._numbers = list(cohort.members)
        self._losses: list[Tensor] = []
        self._read = np.zeros((0, len(self._numbers)))
        self._rows: list[int] = []
        self._clicks: list[Tensor] = []
        self._left: dict[int, Course] = {}
        horizon = max(1.0, HORIZON_SHARE * self._steps)
        self._stride = max(1, int(horizon / AVERAGES_PER_HORIZON))
        self._decay = (1.0 - 1.0 / horizon) ** self._stride if horizon > 1.0 else 0.0
        self._averaged_from = self._steps // 2

    def courses(self) -> Courses:
        cohort = self._cohort
        for number in range(self._plan.passes):
            for step in self._stream.steps(self._plan, number, cohort.lookups, cohort.signatures):
                self._note(cohort.step(step.batch, step.lookups, offset=self._plan.offset), step.batch.label)
                done = len(self._rows)
                if done >= self._averaged_from and (self._steps - done) % self._stride == 0:
                    cohort.average(self._decay)
                if done % STEPS_PER_CHECK == 0:
                    self._check()
                if not cohort.members:
                    return self._found()
        self._check()
        if cohort.members:
            cohort.use(averaged=True)
        return self._found()

    def _note(self, losses: Tensor, labels: Tensor) -> None:
        if len(self._cohort.members) < len(self._numbers):
            places = [self._numbers.index(one) for one in self._cohort.members]
            whole = losses.new_zeros(len(self._numbers))
            whole[places] = losses
            losses = whole
        self._losses.append(losses)
        self._rows.append(len(labels))
        self._clicks.append(labels.sum())

    def _check(self) -> None:
        """Reads what has come since the last time and lets go who diverged and whom the judge stops."""
        if self._losses:
            fresh = torch.stack(self._losses).double().cpu().numpy()
            self._read = np.concatenate([self._read, fresh])
            self._losses = []
        for number in list(self._cohort.members):
            column = self._read[:, self._numbers.index(number)]
            if not np.isfinite(column).all():
                self._leave(number, error=_diverged(column))
        running = {number: self._read[:, self._numbers.index(number)] for number in self._cohort.members}
        share = len(self._rows) / self._steps
        if self._judge is not None and running and share < 1.0:
            for number in self._judge(running, np.asarray(self._rows), share):
                self._leave(number)

    def _leave(self, number: int, error: DivergedError | None = None) -> None:
        column = self._read[:, self._numbers.index(number)].copy()
        stopped_at = None if error else int(sum(self._rows))
        self._left[number] = Course(column, stopped_at, error)
        self._cohort.drop(number)

    def _found(self) -> Courses:
        kept = {number: Course(self._read[:, self._numbers.index(number)].copy()) for number in self._cohort.members}
        return Courses(
            np.asarray(self._rows),
            torch.stack(self._clicks).double().cpu().numpy(),
            {**self._left, **kept},
            math.ceil(self._plan.rows / POINTS_PER_PASS),
        )


def score(model: nn.Module, examples: Examples) -> NDArray[np.float64]:
    """Logits in row order, [rows]."""
    return scores([model], examples)[0]


def scores(models: list[nn.Module], examples: Examples) -> list[NDArray[np.float64]]:
    """Logits of each model in row order, [rows], from one pass over the rows."""
    orders = (
        np.arange(start, min(start + WINDOW_ROWS, len(examples)), dtype=np.int64)
        for start in range(0, len(examples), WINDOW_ROWS)
    )
    found: list[list[Tensor]] = [[] for _ in models]
    with torch.inference_mode():
        for model in models:
            model.eval()
        for batch in examples.stream(orders, SCORING_BATCH):
            for logits, model in zip(found, models, strict=True):
                logits.append(model(batch.numeric, batch.categorical))
        return [torch.cat(logits).double().cpu().numpy() for logits in found]


def _diverged(losses: Vector) -> DivergedError:
    step = int(np.argmin(np.isfinite(losses)))
    return DivergedError(
        f"training must keep a finite loss, but it was {losses[step]} by step {step + 1}; "
        "lower the learning rate or the widths"
    )
