"""Bounds on costs: those that a candidate is known to break untrained, and who comes last for having broken one."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np
from numpy.typing import NDArray

from automl.proposals._asking import random_suggestion
from automl.proposals._dominance import violation
from automl.proposals._known_costs import KnownCosts
from automl.proposals._unseen import Identity
from evaluators import Objective, Suggestion, Trial
from predictors import loss_ranks
from searchspaces import Candidate, FeatureSchema, Options, SearchSpace

DRAWS = 200
"""Of random candidates in a row that break a bound, before the one that breaks it least is taken all the same."""


class KnownBounds:
    """Tells which candidates keep the bounds on costs in closed form, as long as told trials agree with the formulas.

    Without bounds, or where nothing is known of a candidate, everything is kept.
    """

    def __init__(self, objectives: Sequence[Objective], schema: FeatureSchema | None) -> None:
        self._costs = KnownCosts([one for one in objectives if one.bound is not None], schema)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Lets told trials have the last word on the formulas."""
        self._costs.check(trials)

    def excess(self, candidate: Candidate) -> float:
        """By how much it is known to break bounds, relative to them and summed; zero where it keeps them."""
        bounded = self._costs.objectives
        if not bounded:
            return 0.0
        values = self._costs.values([candidate])[0].tolist()
        excesses = (_excess(one, value) for one, value in zip(bounded, values, strict=True))
        return float(sum(one for one in excesses if one > 0))

    def keeps(self, candidate: Candidate) -> bool:
        """Whether it may be trained."""
        return self.excess(candidate) == 0.0

    def random_suggestion(
        self, space: SearchSpace, taken: Set[Identity], rng: np.random.Generator, memo: Options | None = None
    ) -> Suggestion | None:
        """A random one that keeps the bounds; of many that do not the nearest; None where the space is exhausted."""
        drawn: list[tuple[float, Suggestion]] = []
        for _ in range(DRAWS):
            found = random_suggestion(space, taken, rng, memo)
            if found is None:
                return None
            excess = self.excess(found.candidate)
            if excess == 0.0:
                return found
            drawn.append((excess, found))
        return min(drawn, key=lambda one: one[0])[1]


def ranks_within_bounds(
    trials: Sequence[Trial], objective: Objective, bounds: Sequence[Objective]
) -> NDArray[np.float64]:
    """Ranks `[n]` from 1 (best): those that keep all `bounds` by the objective, then the others by how far they do not.

    Source: Deb, Pratap, Agarwal and Meyarivan 2002, NSGA-II (constrained domination). Without bounds they are
    `predictors.loss_ranks`; trials without a value are last in either case.
    """
    ranks = loss_ranks(trials, objective)
    bounded = [one for one in bounds if one.bound is not None]
    if not bounded or not trials:
        return ranks
    keys = np.stack([np.array([violation(trial, bounded) for trial in trials]), ranks], axis=1)
    _, group, sizes = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(sizes) - (sizes - 1) / 2
    found: NDArray[np.float64] = mean_rank[group.reshape(-1)]
    return found


def _excess(objective: Objective, value: float) -> float:
    """Not a number where the value is none; a bound of zero is exceeded by more than any other."""
    bound = objective.bound or 0.0
    return (objective.loss(value) - objective.loss(bound)) / max(abs(bound), 1e-12)
