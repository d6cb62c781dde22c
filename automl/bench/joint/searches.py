"""The searches that are compared: studies in a store of their own, whose trials are measured in both ways."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from automl._errors import StudyError
from automl.front import front
from automl.opening import create_study
from automl.study import Study
from evaluators import Objective, Trial

LOG = logging.getLogger("automl")

SYSTEM: Mapping[str, Any] = {
    "name": "run_settings",
    "knobs": {
        "table_optimizer": ["rowwise_adagrad"],
        "sharding": ["table", "row", "data_parallel"],
        "groups": [1],
        "wire": ["fp32"],
        "dtype": ["fp32"],
    },
}
"""All knobs whose effect on quality is measured: neutral ones, and the batch."""

QUALITY: Mapping[str, Any] = {"name": "train", "precision": "fp32"}
SPEED: Mapping[str, Any] = {"name": "measured_run", "control": {"table_optimizer": "rowwise_adagrad"}}

JOINT, SEQUENTIAL, RANDOM = "joint", "architecture, then system", "random"
ARMS = (JOINT, SEQUENTIAL, RANDOM)
FEWEST = 4
"""Trials of the smallest budget: two of each half."""


@dataclass(frozen=True)
class Plan:
    """What is compared; everything in `folder` is found again, so the same plan goes on where it stopped.

    trials                  of each arm under each seed, a half for each stage of the sequential one
    seed, seeds             the first seed, and how many there are
    metric                  the speed: `speed_ratio`, which a machine's drift does not touch, or `examples_per_second`
    architecture, system    the two spaces with their options
    quality, speed          what measures, with options; a way to train must be one that the quality can be told
    searcher                of both guided arms, the first trials of `wl_ehvi` a quarter of its budget
    """

    data: str
    folder: Path
    trials: int = 60
    seed: int = 1
    seeds: int = 5
    metric: str = "speed_ratio"
    architecture: Mapping[str, Any] = field(default_factory=lambda: {"name": "autoctr"})
    system: Mapping[str, Any] = field(default_factory=lambda: SYSTEM)
    quality: Mapping[str, Any] = field(default_factory=lambda: QUALITY)
    speed: Mapping[str, Any] = field(default_factory=lambda: SPEED)
    searcher: Mapping[str, Any] = field(default_factory=lambda: {"name": "wl_ehvi", "replicate_share": 0.0})

    @property
    def halves(self) -> tuple[int, int]:
        """Trials of the two stages of the sequential arm."""
        return self.trials // 2, self.trials - self.trials // 2

    def facts(self) -> dict[str, Any]:
        """What has to be equal for searches to belong together, but for how many seeds there are, as JSON types."""
        names = ("trials", "seed", "metric", "architecture", "system", "quality", "speed", "searcher")
        return {"data": Path(self.data).name, **{name: getattr(self, name) for name in names}}


@dataclass(frozen=True)
class Step:
    """A trial and the seconds that its arm had to spend on it."""

    trial: Trial
    seconds: float


class Course:
    """Says after each trial how long all the others will take."""

    def __init__(self, total: int) -> None:
        self._left = total
        self._started, self._done = time.monotonic(), 0

    def known(self, trials: int) -> None:
        """So many were there before."""
        self._left -= trials

    def __call__(self, study: Study, trial: Trial) -> None:
        """After each trial of a study."""
        self._left, self._done = self._left - 1, self._done + 1
        minutes = (time.monotonic() - self._started) / self._done * self._left / 60
        values = ", ".join(f"{one.metric} {trial.value(one.metric)}" for one in study.objectives)
        LOG.info("%s %d: %s; %d trials left, about %.0f min", study.name, trial.number, values, self._left, minutes)


def searched(plan: Plan, arm: str, seed: int, course: Course) -> list[Step]:
    """The trials of an arm under a seed, in their order.

    Raises:
        StudyError: no architecture of the first stage could be trained.
    """
    if arm == SEQUENTIAL:
        return _one_after_the_other(plan, seed, course)
    space = {"name": "joint", "architecture": plan.architecture, "system": plan.system}
    found = _trials(plan, _Search(arm, seed, space, ("ne", plan.metric), plan.trials), course)
    return [Step(one, _spent(one)) for one in found]


@dataclass(frozen=True)
class _Search:
    name: str
    seed: int
    space: Mapping[str, Any]
    objectives: tuple[str, ...]
    trials: int
    model: Mapping[str, Any] | None = None


def _one_after_the_other(plan: Plan, seed: int, course: Course) -> list[Step]:
    """NE alone at the evaluators' own system settings, then the speed alone of the model that has won.

    Speeds of the first stage are measured as well, so that all its trials can stand on the front, but it does not see
    them, and they are not at its expense.
    """
    first, second = plan.halves
    models = _trials(plan, _Search("architecture", seed, plan.architecture, ("ne",), first), course)
    best = front(models, [Objective("ne")])
    if not best:
        raise StudyError(
            "a system is searched for the best architecture, but no trial of the first stage has ended well"
        )
    model = {key: value for key, value in best[0].candidate.to_dict().items() if key != "system"}
    runs = _trials(plan, _Search("system", seed, plan.system, (plan.metric,), second, model), course)
    return [*(Step(one, _spent(one, speed=False)) for one in models), *(Step(one, _spent(one)) for one in runs)]


def _trials(plan: Plan, search: _Search, course: Course) -> list[Trial]:
    """What a search has at the end of its budget."""
    study = create_study(
        f"{search.name}-{search.seed}",
        data=plan.data,
        seed=search.seed,
        storage=f"sqlite:///{plan.folder / 'automl.db'}",
        space=dict(search.space),
        searcher=_searcher(plan, search),
        evaluator={"name": "joint", "quality": plan.quality, "speed": plan.speed, "model": search.model},
        objectives=search.objectives,
        budget={"trials": search.trials},
        baselines=(),
        load_if_exists=True,
    )
    try:
        course.known(sum(one.state.is_finished for one in study.trials))
        study.optimize(callbacks=[course])
        return [one for one in study.trials if one.state.is_finished]
    finally:
        study.close()


def _searcher(plan: Plan, search: _Search) -> dict[str, Any]:
    if search.name == RANDOM:
        return {"name": "random_search"}
    first = {"initial": max(2, search.trials // 4)} if plan.searcher["name"] == "wl_ehvi" else {}
    return {**first, **plan.searcher}


def _spent(trial: Trial, *, speed: bool = True) -> float:
    if trial.evaluation is None:
        return trial.failure.seconds if trial.failure else 0.0
    known = (trial.value("quality_seconds"), trial.value("speed_seconds") if speed else 0.0)
    return sum(one or 0.0 for one in known)
