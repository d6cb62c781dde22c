"""Orders trials by several objectives at once, bounds and failures included."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.front import is_feasible, losses_of
from automl.ranks import ParetoRanks
from evaluators import Objective, Trial, TrialState


def dominance_ranks(trials: Sequence[Trial], objectives: Sequence[Objective]) -> NDArray[np.int64]:
    """Ranks `[n]` from 1 (best): what keeps every bound by its front, then the rest by how far it breaks them.

    Source: Deb, Pratap, Agarwal and Meyarivan 2002, A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II
    (constrained domination). Distances from bounds are relative to the bound and summed. Trials without a value,
    failed and pruned ones, are last and tie.
    """
    ranks = ParetoRanks()
    for place, trial in enumerate(trials):
        if is_feasible(trial, objectives):
            ranks.add(place, losses_of(trial, objectives))
    kept = ranks.ranks
    fronts = max(kept.values(), default=0)
    excess = {place: violation(trial, objectives) for place, trial in enumerate(trials) if place not in kept}
    steps = {value: fronts + step for step, value in enumerate(sorted(set(excess.values())), start=1)}
    return np.array([kept[place] if place in kept else steps[excess[place]] for place in range(len(trials))], np.int64)


def violation(trial: Trial, objectives: Sequence[Objective]) -> float:
    """By how much the trial breaks the bounds, relative to them and summed; infinite where a value is missing."""
    if trial.state is not TrialState.COMPLETE:
        return float("inf")
    total = 0.0
    for objective in objectives:
        value = trial.value(objective.metric)
        if value is None:
            return float("inf")
        if objective.bound is not None:
            excess = objective.loss(value) - objective.loss(objective.bound)
            total += max(0.0, excess) / max(abs(objective.bound), 1e-12)
    return total
