"""What costs, where no formula tells it: a predictor for each further objective, fitted once a round."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automl.proposals._costs import cost_objectives
from automl.proposals._known_costs import KnownCosts
from automl.proposals._learnable import LEARNED_AS, is_learnable, with_loss
from automl.proposals._losses import scaled_loss, unscaled_prediction
from evaluators import Goal, Objective, Suggestion, Trial
from predictors import Prediction, Predictor
from searchspaces import Candidate, FeatureSchema, SearchSpace

SCALE = 1e12
"""What should be small costs its value times this, what should be large this over its value: above 1 for metrics in all
usual units, as costs are, and compared by doublings alone."""


@dataclass(frozen=True, eq=False)
class LearnedCosts:
    """The further objectives of a search as costs, for positive metrics; `make` gives a new predictor for each.

    With `scaled` these learn the losses on the scales of `scaled_loss`, mostly logarithms; else metrics as they are.
    """

    space: SearchSpace
    objectives: tuple[Objective, ...]
    make: Callable[[], Predictor]
    scaled: bool = False
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
            if is_learnable(one) and not self.scaled:
                model.fit(trials, one.metric, rng=rng)
            else:
                model.fit([with_loss(trial, self._loss(trial, one)) for trial in trials], LEARNED_AS, rng=rng)

    def values(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """Predicted costs, `[n, len(costs)]`; NaN before anything was learned."""
        found = np.full((len(candidates), len(self.objectives)), np.nan)
        predicted = self.predicted(candidates)
        for at, one in enumerate(self.objectives):
            if one.metric in predicted:
                found[:, at] = _cost(one, _turned(one, predicted[one.metric].mean))
        return found

    def predicted(self, candidates: Sequence[Candidate]) -> dict[str, Prediction]:
        """Each objective by its metric, in the metric's own unit, `[n]`; none before anything was learned."""
        asked = [Suggestion(one) for one in candidates]
        known = [one for one in self.objectives if one.metric in self._models]
        return {one.metric: self._value(one, self._models[one.metric].predict(asked)) for one in known}

    def _value(self, objective: Objective, loss: Prediction) -> Prediction:
        if self.scaled:
            return unscaled_prediction(objective, loss)
        return Prediction(_turned(objective, loss.mean), loss.std)

    def _loss(self, trial: Trial, objective: Objective) -> float | None:
        value = trial.value(objective.metric)
        if value is None:
            return None
        return scaled_loss(objective, value) if self.scaled else objective.loss(value)


class KnownAndLearned:
    """Costs by formula first, then those that are learned by their logarithms, for positive metrics.

    Told trials have the last word: what they measure otherwise than a formula says is learned too. So is everything
    without a schema.
    """

    def __init__(
        self,
        space: SearchSpace,
        schema: FeatureSchema | None,
        objectives: Sequence[Objective],
        make: Callable[[], Predictor],
    ) -> None:
        self._space = space
        self._objectives = tuple(objectives)
        self._make = make
        self._known = KnownCosts(cost_objectives(objectives), schema)
        self._learned = self._others()
        self._checked = 0

    @property
    def space(self) -> SearchSpace:
        """Where the candidates are from."""
        return self._space

    @property
    def costs(self) -> tuple[Objective, ...]:
        """Those that are known, then the others."""
        return (*self._known.objectives, *self._learned.costs)

    def learn(self, trials: Sequence[Trial]) -> None:
        """Takes in trials, which only grow from call to call."""
        known = self._known.objectives
        self._known.check(trials[self._checked :])
        self._checked = len(trials)
        if self._known.objectives != known:
            self._learned = self._others()
        self._learned.learn(trials)

    def values(self, candidates: Sequence[Candidate]) -> NDArray[np.float64]:
        """The costs of candidates, NaN where unknown, `[n, len(costs)]`."""
        return np.concatenate([self._known.values(candidates), self._learned.values(candidates)], axis=1)

    def predicted(self, candidates: Sequence[Candidate]) -> dict[str, Prediction]:
        """The learned ones."""
        return self._learned.predicted(candidates)

    def _others(self) -> LearnedCosts:
        rest = tuple(one for one in self._objectives if one not in self._known.objectives)
        return LearnedCosts(self._space, rest, self._make, scaled=True)


def _turned(objective: Objective, numbers: NDArray[np.float64]) -> NDArray[np.float64]:
    """Losses from values, and values from losses."""
    return numbers if objective.goal is Goal.MINIMIZE else -numbers


def _as_cost(objective: Objective) -> Objective:
    bound = None if objective.bound is None else float(_cost(objective, np.array([objective.loss(objective.bound)]))[0])
    return Objective(objective.metric, Goal.MINIMIZE, bound)


def _cost(objective: Objective, loss: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of losses; where nothing is known yet all of these are zero, and all costs are equal."""
    found = SCALE * loss if objective.goal is Goal.MINIMIZE else SCALE / np.maximum(-loss, 1.0 / SCALE)
    return np.maximum(found, 1.0)
