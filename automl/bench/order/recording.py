"""Trains a supernet beside its baseline, lets the weights stand still, and records what random sub-networks lose."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from automl._checkpoint import Checkpoint
from automl._errors import AutomlError
from automl._files import replacing
from automl.bench.order.ordering import Records, Vector
from automl.methods.one_shot import OneShot
from evaluators import ScoringSettings, SupernetPlan, SupernetSettings
from evaluators._datasets import Dataset, Part
from evaluators._training.supernet.beside import Beside
from searchspaces import Architecture, SearchSpace, zoo

LOG = logging.getLogger("automl")
TRAINING, RECORDING = "training", "recording"
SECONDS_BETWEEN = 30.0
MOST_DRAWS = 50
"""Of candidates, for each that is needed."""

CALIBRATION_ROWS = 2048
"""That norms over the batch see anew; the stream has the others."""


@dataclass(frozen=True)
class Plan:
    """What is measured; what is in `folder` is not done again, and more pairs can be added to it.

    rows           of the stream, at most those of the training part without the last ones, which calibrate norms
    trained        share of the batches that weights are trained on; the others are recorded
    warm_up        share of the batches, the first ones, in which the full path is drawn less and less often
    learning_rate  largest one outside tables, as of the method
    """

    data: str
    space: str
    folder: Path
    options: Mapping[str, Any] = field(default_factory=dict)
    pairs: int = 40
    rows: int = 150_000
    batch_size: int = 128
    trained: float = 0.5
    warm_up: float = OneShot.warm_up
    learning_rate: float = OneShot.learning_rate
    baseline: str = "deepfm"
    seed: int = 1

    @property
    def steps(self) -> int:
        """Whole batches of the stream."""
        return self.rows // self.batch_size

    @property
    def trained_steps(self) -> int:
        """Batches before the weights stand still."""
        return round(self.trained * self.steps)


@dataclass(eq=False)
class Pace:
    """Tells at times how far a phase is, and about how long it still takes."""

    phase: str
    total: int
    clock: Callable[[], float] = time.monotonic
    _first: tuple[int, float] | None = None
    _told: float = 0.0

    def tell(self, done: int) -> None:
        """Where so many are done."""
        now = self.clock()
        if self._first is None:
            self._first, self._told = (done, now), now
        if done < self.total and now - self._told < SECONDS_BETWEEN:
            return
        self._told = now
        left = (self.total - done) * (now - self._first[1]) / max(1, done - self._first[0])
        LOG.info("%s: %d of %d, about %.1f min left", self.phase, done, self.total, left / 60)


def recorded(plan: Plan, dataset: Dataset, space: SearchSpace) -> tuple[Records, dict[str, Any]]:
    """The losses of the baseline and of both of each pair, and what training has cost; does what is missing.

    Raises:
        AutomlError: the space has too few candidates.
        DivergedError: a loss is no finite number.
    """
    architectures = _drawn(space, 2 * plan.pairs, plan.seed)
    checkpoint = Checkpoint(plan.folder / TRAINING)
    net = _trained(plan, dataset, space, checkpoint)
    batches, valid = net.ahead(plan.steps - plan.trained_steps), dataset.part("valid")
    pace, found = Pace(RECORDING, len(architectures) + 1), []
    losses: list[Callable[[Part], Vector]] = [net.baseline_row_losses]
    losses += [partial(net.row_losses, one) for one in architectures]
    for number, measured in enumerate(losses):
        pace.tell(number)
        file = plan.folder / RECORDING / f"{number}.npz"
        found.append(_kept(file, measured, batches, valid, size=plan.batch_size))
    pace.tell(len(losses))
    means, rows = (np.stack(one) for one in zip(*found, strict=True))
    return Records(means[1:], means[0], rows[1:]), _cost(checkpoint)


def _drawn(space: SearchSpace, count: int, seed: int) -> list[Architecture]:
    """Different candidates of the space's own distribution."""
    rng, found = np.random.default_rng([seed, 1]), dict[str, Architecture]()
    for _ in range(MOST_DRAWS * count):
        candidate = space.sample(rng)
        if candidate.architecture is not None:
            found.setdefault(candidate.fingerprint, candidate.architecture)
        if len(found) == count:
            return list(found.values())
    raise AutomlError(
        f"pairs are of different architectures, but of {MOST_DRAWS * count} draws only {len(found)} are; lower --pairs"
    )


def _trained(plan: Plan, dataset: Dataset, space: SearchSpace, checkpoint: Checkpoint) -> Beside:
    """As `one_shot` before its policy learns: candidates of the space's own distribution, the full path first."""
    net = Beside(_supernet_plan(plan, dataset, space))
    kept = checkpoint.kept()
    if kept is not None:
        net.restore(kept.files)
    pace, silent = Pace(TRAINING, plan.trained_steps), round(plan.warm_up * plan.steps)
    while net.steps < plan.trained_steps:
        pace.tell(net.steps)
        rng = np.random.default_rng([plan.seed, 0, net.steps])
        full_path = max(0.0, 1.0 - net.steps / silent) if silent else 0.0
        losses = net.step(net.draw(rng, OneShot.sampled, full_path=full_path))
        checkpoint.spend(TRAINING, rows=losses.rows * (OneShot.sampled + 1), peak_bytes=net.peak_bytes())
        if net.steps == plan.trained_steps or checkpoint.is_due(OneShot.checkpoint_seconds):
            checkpoint.keep({}, net.save)
    pace.tell(net.steps)
    return net


def _supernet_plan(plan: Plan, dataset: Dataset, space: SearchSpace) -> SupernetPlan:
    """Of the method's own defaults. The last layer stays as it was trained: rewards come from what is being trained."""
    baseline = zoo(plan.baseline, dataset.schema).architecture
    assert baseline is not None  # those of the zoo are models
    return SupernetPlan(
        dataset.folder,
        space,
        baseline,
        plan.seed,
        SupernetSettings(plan.steps * plan.batch_size, plan.batch_size, plan.learning_rate),
        ScoringSettings(calibration_rows=CALIBRATION_ROWS, adapt=0),
        "cpu",
        baseline_rate=OneShot.baseline_rate,
    )


def _kept(
    file: Path, measured: Callable[[Part], Vector], batches: Part, valid: Part, *, size: int
) -> tuple[Vector, Vector]:
    """Mean losses of each batch of `size` rows, and losses of each row of validation."""
    if not file.exists():
        means = measured(batches).reshape(-1, size).mean(axis=1)
        with replacing(file) as draft, draft.open("wb") as stream:
            np.savez(stream, batches=means, valid=measured(valid))
    with np.load(file, allow_pickle=False) as found:
        return found["batches"], found["valid"]


def _cost(checkpoint: Checkpoint) -> dict[str, Any]:
    spent = checkpoint.accounts[TRAINING]
    return {
        "steps": spent.steps,
        "ms_a_step": round(1000 * spent.seconds / spent.steps, 1),
        "peak_mib": spent.peak_bytes >> 20,
    }
