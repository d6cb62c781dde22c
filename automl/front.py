"""Finds the trials that no other trial beats, and measures how much of the objective space they cover.

Dominance and hypervolume are meant as in Zitzler and Thiele (1998), Multiobjective optimization using
evolutionary algorithms. Objectives are turned into losses (smaller is better) first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automl._errors import AutomlError
from automl.ranks import ParetoRanks
from evaluators import Objective, Trial, TrialState


def front(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The feasible, complete, non-dominated trials, best in the first objective first.

    Of trials with equal objectives only the one of the lowest number is kept. Trials of different stages
    or fidelities are not comparable: pass those of one.

    Raises:
        AutomlError: there is no objective.
    """
    if not objectives:
        raise AutomlError("a front needs at least one objective, but got none")
    candidates = [trial for trial in trials if is_feasible(trial, objectives)]
    if not candidates:
        return []
    losses = np.array([losses_of(trial, objectives) for trial in candidates])
    numbers = np.array([trial.number for trial in candidates])
    order = np.lexsort((numbers, *losses.T[::-1]))
    return [candidates[order[place]] for place in _first_of_each_front_point(losses[order])]


def pareto_ranks(trials: Sequence[Trial], objectives: Sequence[Objective]) -> dict[int, int]:
    """The rank of each feasible, complete trial by its number: 1 for the front, 2 for what only the front beats, ...

    Meant as in Deb et al. 2002, A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II. Trials with equal
    objectives share a rank, so rank 1 may hold more trials than `front`.
    """
    ranks = ParetoRanks()
    for trial in trials:
        if is_feasible(trial, objectives):
            ranks.add(trial.number, losses_of(trial, objectives))
    return ranks.ranks


def searched(trials: Iterable[Trial]) -> list[Trial]:
    """The search's full trainings, which alone compare with each other: cheaper rungs and other stages stay out."""
    return [trial for trial in trials if trial.stage == "search" and trial.suggestion.fidelity.is_full]


def best(trials: Iterable[Trial], objective: Objective) -> Trial | None:
    """The feasible, complete trial that is best in one objective, the lowest number on a tie."""
    candidates = [trial for trial in trials if is_feasible(trial, (objective,))]
    return min(candidates, key=lambda trial: (losses_of(trial, (objective,)), trial.number), default=None)


def is_feasible(trial: Trial, objectives: Sequence[Objective]) -> bool:
    """Whether the trial is complete, has every objective's metric, and keeps every bound."""
    if trial.state is not TrialState.COMPLETE:
        return False
    values = [trial.value(objective.metric) for objective in objectives]
    return all(
        value is not None and objective.is_kept(value) for value, objective in zip(values, objectives, strict=True)
    )


def hypervolume(points: ArrayLike, reference: ArrayLike) -> float:
    """Volume dominated by loss vectors `[n, objectives]` and bounded by the point `reference`.

    Exact; n log n for two objectives, one factor n more for each further one. Points that do not beat the
    reference in every objective add nothing.

    >>> hypervolume([[1, 2], [2, 1]], [3, 3])
    3.0

    Raises:
        AutomlError: points and reference differ in their number of objectives.
    """
    corner = np.asarray(reference, dtype=float)
    losses = np.asarray(points, dtype=float)
    if losses.size == 0:
        return 0.0
    if losses.ndim != 2 or losses.shape[1:] != corner.shape:
        raise AutomlError(
            f"points must be [n, objectives] with one reference value per objective, "
            f"but points have shape {losses.shape} and the reference has {corner.shape}"
        )
    return _volume(losses[(losses < corner).all(axis=1)], corner)


def losses_of(trial: Trial, objectives: Sequence[Objective]) -> tuple[float, ...]:
    """The trial's losses in the order of the objectives, smaller is better; those without a value are left out."""
    values = [(objective, trial.value(objective.metric)) for objective in objectives]
    return tuple(objective.loss(value) for objective, value in values if value is not None)


def _first_of_each_front_point(losses: NDArray[np.float64]) -> list[int]:
    """Places of the non-dominated rows among rows in lexicographic order, without repeats."""
    if losses.shape[1] <= 2:
        return _sweep(losses[:, -1])
    kept: list[int] = []
    for place, row in enumerate(losses):
        # What comes earlier in lexicographic order is never dominated by what comes later; "not larger
        # anywhere" also drops a repeated point.
        if not (losses[kept] <= row).all(axis=1).any():
            kept.append(place)
    return kept


def _sweep(last: NDArray[np.float64]) -> list[int]:
    """Places where the last objective is smaller than at every earlier place."""
    before = np.concatenate(([np.inf], np.minimum.accumulate(last)[:-1]))
    return [int(place) for place in np.flatnonzero(last < before)]


def _volume(losses: NDArray[np.float64], corner: NDArray[np.float64]) -> float:
    if not len(losses):
        return 0.0
    if len(corner) == 1:
        return float(corner[0] - losses.min())
    if len(corner) == 2:
        return _area(losses, corner)
    ordered = losses[np.argsort(losses[:, -1], kind="stable")]
    heights = np.diff(np.append(ordered[:, -1], corner[-1]))
    return sum(
        float(height) * _volume(ordered[: count + 1, :-1], corner[:-1])
        for count, height in enumerate(heights)
        if height > 0
    )


def _area(losses: NDArray[np.float64], corner: NDArray[np.float64]) -> float:
    ordered = losses[np.lexsort((losses[:, 1], losses[:, 0]))]
    steps = ordered[_sweep(ordered[:, 1])]
    ceilings = np.concatenate(([corner[1]], steps[:-1, 1]))
    return float(((corner[0] - steps[:, 0]) * (ceilings - steps[:, 1])).sum())
