"""The training loop: seeded order, one gather a batch, no wait for the device between checks."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._errors import DivergedError
from evaluators._evaluation import Point
from evaluators._training.examples import WINDOW_ROWS, Examples
from evaluators._training.optimizers import optimizers
from evaluators._training.settings import TrainingSettings

POINTS_PER_PASS = 4
"""Points of the learning curve in one pass."""

STEPS_PER_CHECK = 50
"""Steps between looks at the loss: each look waits for the device."""

SCORING_BATCH = 4096
"""Rows scored at once on a held-out part."""


def train(model: nn.Module, examples: Examples, settings: TrainingSettings, *, seed: int) -> tuple[Point, ...]:
    """Trains in place and gives the progressive training loss, each point over the rows since the last.

    The order of rows is a function of (seed, pass) alone, so that all candidates see the same batches (see
    `row_orders`).
    Each row weighs the same: the last batch of a pass, where smaller, takes a smaller step.

    Raises:
        DivergedError: the loss is no longer a finite number.
    """
    rows = min(settings.rows or len(examples), len(examples))
    updates = optimizers(model, settings)
    progress = _Progress(math.ceil(rows / POINTS_PER_PASS), torch.zeros((), device=examples.device))
    model.train()
    for number in range(settings.passes):
        for batch in examples.stream(row_orders(len(examples), rows, seed=seed, number=number), settings.batch_size):
            logits = model(batch.numeric, batch.categorical)
            loss = binary_cross_entropy_with_logits(logits, batch.label, reduction="sum")
            for one in updates:
                one.zero_grad(set_to_none=True)
            (loss / settings.batch_size).backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            for one in updates:
                one.step()
            progress.add(loss.detach(), len(batch.label))
    return progress.finish()


def row_orders(total: int, rows: int, *, seed: int, number: int) -> Iterator[NDArray[np.int64]]:
    """Order of the most recent `rows` of `total` rows in pass `number`, piece by piece, each int64 [rows of a piece].

    Up to `WINDOW_ROWS` rows are one piece in any order. More are cut into windows of so many: the windows come in
    any order, and the rows of each in any order, so that rows and their order need the memory of one window.
    """
    rng, first = np.random.default_rng([seed, number]), total - rows
    if rows <= WINDOW_ROWS:
        yield rng.permutation(rows).astype(np.int64) + first
        return
    for window in rng.permutation(math.ceil(rows / WINDOW_ROWS)):
        start = int(window) * WINDOW_ROWS
        yield rng.permutation(min(WINDOW_ROWS, rows - start)).astype(np.int64) + (first + start)


def score(model: nn.Module, examples: Examples) -> NDArray[np.float64]:
    """Logits in row order, [rows]."""
    orders = (
        np.arange(start, min(start + WINDOW_ROWS, len(examples)), dtype=np.int64)
        for start in range(0, len(examples), WINDOW_ROWS)
    )
    model.eval()
    with torch.inference_mode():
        logits = [model(batch.numeric, batch.categorical) for batch in examples.stream(orders, SCORING_BATCH)]
        joined: NDArray[np.float64] = torch.cat(logits).double().cpu().numpy()
    return joined


@dataclass
class _Progress:
    """Sums losses on the device and reads them only at checks and at points of the curve."""

    rows_per_point: int
    total: Tensor
    points: list[Point] = field(default_factory=list)
    steps: int = 0
    rows: int = 0
    rows_before: int = 0

    def add(self, loss: Tensor, rows: int) -> None:
        self.total += loss
        self.steps += 1
        self.rows += rows
        if self.rows - self.rows_before >= self.rows_per_point:
            self._close_point()
        elif self.steps % STEPS_PER_CHECK == 0:
            self._check()

    def finish(self) -> tuple[Point, ...]:
        if self.rows > self.rows_before:
            self._close_point()
        return tuple(self.points)

    def _close_point(self) -> None:
        mean = self._check() / (self.rows - self.rows_before)
        self.points.append(Point(self.rows, {"train_logloss": mean}))
        self.rows_before = self.rows
        self.total.zero_()

    def _check(self) -> float:
        total = float(self.total)
        if not math.isfinite(total):
            raise DivergedError(
                f"training must keep a finite loss, but it was {total} by step {self.steps}; "
                "lower the learning rate or the widths"
            )
        return total
