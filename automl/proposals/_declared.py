"""Who has won, by what a model says of all measurements together.

The smallest of many noisy measurements is too small: its candidate was lucky as well as good. The mean of a posterior
is not, since it weighs each measurement with its noise and with those of similar candidates.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.front import is_feasible
from automl.proposals._losses import quality_first, scaled_loss
from evaluators import Objective, Trial
from predictors import Predictor


@dataclass(frozen=True)
class Declared:
    """A measured candidate by its first trial, and what it is expected to be.

    `losses` are on the scales of `scaled_loss`, quality first: its posterior mean, then the means of measured costs.
    `std` is that of the quality, `replicates` counts its trials.
    """

    trial: Trial
    losses: tuple[float, ...]
    std: float
    replicates: int


def declare(trials: Sequence[Trial], objectives: Sequence[Objective], guide: Predictor) -> list[Declared]:
    """Every candidate that has a complete full training within all bounds on costs, by the mean of a fitted `guide`.

    Lowest expected loss of quality first. A bound on the quality counts on the expected loss.
    """
    ordered = quality_first(objectives)
    groups: dict[str, list[Trial]] = {}
    for trial in trials:
        if trial.suggestion.fidelity.is_full and is_feasible(trial, (_unbounded(ordered[0]), *ordered[1:])):
            groups.setdefault(trial.candidate.fingerprint, []).append(trial)
    if not groups:
        return []
    found = guide.predict([group[0].suggestion for group in groups.values()])
    told = zip(groups.values(), found.mean.tolist(), found.std.tolist(), strict=True)
    declared = [Declared(group[0], (mean, *_costs(group, ordered[1:])), std, len(group)) for group, mean, std in told]
    kept = [one for one in declared if ordered[0].bound is None or one.losses[0] <= ordered[0].loss(ordered[0].bound)]
    return sorted(kept, key=lambda one: (one.losses[0], one.trial.number))


def undominated(declared: Sequence[Declared]) -> list[Declared]:
    """Of those in order of their quality the ones that are on the front."""
    kept: list[Declared] = []
    for one in declared:
        losses = np.array(one.losses)
        if not any((np.array(other.losses) <= losses).all() for other in kept):
            kept.append(one)
    return kept


def _unbounded(objective: Objective) -> Objective:
    return Objective(objective.metric, objective.goal)


def _costs(group: Sequence[Trial], objectives: Sequence[Objective]) -> tuple[float, ...]:
    """Means over the trials of one candidate."""
    return tuple(
        float(np.mean([scaled_loss(objective, trial.value(objective.metric) or 0.0) for trial in group]))
        for objective in objectives
    )
