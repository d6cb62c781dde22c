"""Fronts of NE against speed of each way to search, and how much of the objective space they cover, over seeds."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.bench._remembering import remember
from automl.bench._timing import machine
from automl.bench.joint.searches import ARMS, FEWEST, JOINT, Course, Plan, Step, searched
from automl.bench.race.comparison import corrected, duel
from automl.front import front, hypervolume
from evaluators import Objective, ObjectiveError, Trial

LOG = logging.getLogger("automl")

Points = NDArray[np.float64]
Runs = Mapping[tuple[str, int], Sequence[Step]]

SPEEDS = ("speed_ratio", "examples_per_second", "qps")
MARGIN = 0.1
"""Of the range of all fronts, beyond their worst: the ends of a front count for something too."""


def joint(plan: Plan) -> dict[str, Any]:
    """Runs the searches that are missing, and gives all figures, in JSON types.

    A point has NE and the logarithm of the speed, so that a factor is worth the same everywhere. The corners are those
    of all fronts of all arms and seeds: the best of each objective, and a tenth of the range beyond the worst.
    `hypervolume` is the share of that box which an arm's trials dominate; `at_equal_seconds` is that of the trials that
    each arm had done by the time when the first of them was through, under the same seed. `seconds` are those of
    evaluating: a quality or a speed that was known took none.

    Raises:
        ObjectiveError: the metric is no speed.
        AutomlError: the folder holds another plan's searches, or the budget is too small.
    """
    _check(plan)
    remember(plan.folder, plan.facts())
    course = Course(plan.seeds * len(ARMS) * plan.trials)
    seeds = range(plan.seed, plan.seed + plan.seeds)
    runs = {(arm, seed): searched(plan, arm, seed, course) for seed in seeds for arm in ARMS}
    return {"plan": {**plan.facts(), "seeds": plan.seeds}, "machine": machine(), **figures(runs, plan.metric)}


def figures(runs: Runs, metric: str) -> dict[str, Any]:
    """What the trials of all arms say, by the arm and seed that they are of."""
    objectives = (Objective("ne"), Objective(metric))
    best, worst = _corners(runs.values(), objectives)
    box = _Box(objectives, best, worst)
    ends = {seed: min(_seconds(steps) for (_, one), steps in runs.items() if one == seed) for _, seed in runs}
    rows = [_row(arm, seed, steps, box, ends[seed]) for (arm, seed), steps in runs.items()]
    return {
        "corners": {"best": _values(best, metric), "worst": _values(worst, metric)},
        "arms": [_summary(arm, runs, rows, objectives) for arm in dict.fromkeys(arm for arm, _ in runs)],
        "duels": _duels(rows),
        "searches": rows,
    }


def front_rows(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Points of each arm's front over all seeds, one a row."""
    return [{"arm": one["arm"], **point} for one in found["arms"] for point in one["front"]]


class _Box:
    """The part of the objective space that counts."""

    def __init__(self, objectives: Sequence[Objective], best: Points, worst: Points) -> None:
        self.objectives, self._worst = objectives, worst
        self._volume = float(np.prod(worst - best))

    def share(self, trials: Sequence[Trial]) -> float:
        """What trials dominate of it, from 0 to 1; of a box without any extent, nothing."""
        found = front(trials, self.objectives)
        if not found or self._volume <= 0.0:
            return 0.0
        return hypervolume(_points(found, self.objectives), self._worst) / self._volume


def _row(arm: str, seed: int, steps: Sequence[Step], box: _Box, end: float) -> dict[str, Any]:
    trials = [one.trial for one in steps]
    spent = np.cumsum([one.seconds for one in steps])
    in_time = [one for one, seconds in zip(trials, spent, strict=True) if seconds <= end * (1 + 1e-9)]
    return {
        "arm": arm,
        "seed": seed,
        "trials": len(trials),
        "failed": sum(one.failure is not None for one in trials),
        "trainings_reused": sum(one.value("quality_seconds") == 0.0 for one in trials),
        "seconds": round(_seconds(steps), 1),
        "quality_seconds": round(sum(one.value("quality_seconds") or 0.0 for one in trials), 1),
        "speed_seconds": round(sum(one.value("speed_seconds") or 0.0 for one in trials), 1),
        "hypervolume": box.share(trials),
        "at_equal_seconds": box.share(in_time),
        "front": [_shown(one, box.objectives) for one in front(trials, box.objectives)],
    }


def _summary(
    arm: str, runs: Runs, rows: Sequence[Mapping[str, Any]], objectives: Sequence[Objective]
) -> dict[str, Any]:
    own = [row for row in rows if row["arm"] == arm]
    found: dict[str, Any] = {"arm": arm, "seeds": len(own)}
    for name in ("hypervolume", "at_equal_seconds"):
        values = np.array([row[name] for row in own])
        found[name] = float(values.mean())
        found[f"{name}_stderr"] = float(values.std(ddof=1) / math.sqrt(len(values))) if len(values) > 1 else None
    for name in ("trials", "failed", "trainings_reused", "seconds", "quality_seconds", "speed_seconds"):
        found[name] = float(np.mean([row[name] for row in own]))
    every = [one.trial for (name, _), steps in runs.items() if name == arm for one in steps]
    return {**found, "front": [_shown(one, objectives) for one in front(every, objectives)]}


def _duels(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """The joint search against each other one, by what of the box they miss, seed by seed."""
    found = []
    for score in ("hypervolume", "at_equal_seconds"):
        missed = {arm: np.array([1.0 - row[score] for row in rows if row["arm"] == arm]) for arm in ARMS}
        found += [duel((JOINT, arm), f"1 - {score}", missed[JOINT], missed[arm]) for arm in ARMS if arm != JOINT]
    return [one.to_dict() for one in corrected(found)]


def _corners(runs: Iterable[Sequence[Step]], objectives: Sequence[Objective]) -> tuple[Points, Points]:
    """The best of each objective on all fronts, and a margin beyond the worst."""
    points = [
        _points(found, objectives) for steps in runs if (found := front([one.trial for one in steps], objectives))
    ]
    if not points:
        return np.zeros(2), np.zeros(2)
    every = np.concatenate(points)
    best, worst = every.min(axis=0), every.max(axis=0)
    return best, worst + MARGIN * (worst - best)


def _points(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Points:
    """NE and minus the logarithm of the speed, `[n, 2]`."""
    quality, speed = objectives
    return np.array([[one.value(quality.metric), -math.log10(one.value(speed.metric) or 0.0)] for one in trials])


def _values(point: Points, metric: str) -> dict[str, float]:
    return {"ne": float(point[0]), metric: float(10 ** -point[1])}


def _shown(trial: Trial, objectives: Sequence[Objective]) -> dict[str, Any]:
    names = dict.fromkeys((*(one.metric for one in objectives), "examples_per_second"))
    return {**{name: trial.value(name) for name in names}, "system": trial.candidate.system.to_dict()}


def _seconds(steps: Sequence[Step]) -> float:
    return sum(one.seconds for one in steps)


def _check(plan: Plan) -> None:
    if plan.metric not in SPEEDS:
        raise ObjectiveError(f"the metric must be a speed, one of {', '.join(SPEEDS)}, but is {plan.metric!r}")
    if plan.trials < FEWEST:
        raise ObjectiveError(f"a budget is halved, so it has at least {FEWEST} trials, but is {plan.trials}")
