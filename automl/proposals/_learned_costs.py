"""What costs, where no formula tells it: a predictor for each further objective, fitted once a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automl.proposals._learnable import LEARNED_AS, is_learnable, loss_of, with_loss
from evaluators import Goal, Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import Candidate, SearchSpace

SCALE = 1e12
"""What should be small costs its value times this, what should be large this over its value: above 1 for metrics in all
usual units, as costs are, and compared by doublings alone."""


@dataclass(frozen=True, eq=False)
class LearnedCosts:
    """The further objectives of a search as costs, for positive metrics; `make` gives a new predictor for each."""

    space: SearchSpace
    objectives: tuple[Objective, ...]
    make: Callable[[], Predictor]
    _models: dict[str, Predictor] = field(default_factory=dict, init=False, repr=False)

    @property
    def costs(self) -> tuple[Objective, ...]:
        """Each objective as something that should be small."""
        return tuple(_as_cost(one) for one in self.objectives)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Fits every predictor anew, with a seed that depends on the number of trials alone.

        A metric that predictors do not know, or not with this goal, is learned under another name.
        """
        for at, one in enumerate(self.objectives):
            model = self._models.setdefault(one.metric, self.make())
            rng = np.random.default_rng([len(trials), 3, at])
            if is_learnable(one):
                model.fit(trials, one.metric, rng=rng)
            else:
                model.fit([with_loss(trial, loss_of(trial, one)) for trial in trials], LEARNED_AS, rng=rng)

    def values(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Predicted costs, `[n, len(costs)]`; NaN before anything was learned."""
        found = np.full((len(candidates), len(self.objectives)), np.nan)
        asked = [Suggestion(one) for one in candidates]
        for at, one in enumerate(self.objectives):
            if one.metric in self._models:
                found[:, at] = _cost(one, self._models[one.metric].predict(asked).mean)
        return found


def _as_cost(objective: Objective) -> Objective:
    bound = None if objective.bound is None else float(_cost(objective, np.array([objective.loss(objective.bound)]))[0])
    return Objective(objective.metric, Goal.MINIMIZE, bound)


def _cost(objective: Objective, loss: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of losses; where nothing is known yet all of these are zero, and all costs are equal."""
    found = SCALE * loss if objective.goal is Goal.MINIMIZE else SCALE / np.maximum(-loss, 1.0 / SCALE)
    return np.maximum(found, 1.0)
