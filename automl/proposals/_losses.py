"""Every objective of a candidate as a loss with its deviation: one by a guide, costs by formula where there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from automl.control import QUALITY_METRICS, quality_objective
from automl.proposals._costs import CLOSED_FORM, closed_form_costs
from evaluators import Evaluation, Metric, Objective, Suggestion, Trial, TrialState
from predictors import Predictor
from searchspaces import Candidate, FeatureSchema, SearchSpace, SearchSpaceError

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]

TOLERANCE = 1e-3
"""Relative; a formula that misses what was measured by more is not that of this evaluator."""


def quality_first(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """The objective that measures quality, then the others in their order."""
    quality = quality_objective(objectives)
    return (quality, *(one for one in objectives if one is not quality))


def scaled_loss(objective: Objective, value: float) -> float:
    """The loss on the scale on which it is compared: a quality as it is, a cost as a logarithm to base 10."""
    if objective.metric in QUALITY_METRICS or objective.metric.startswith("ne_"):
        return objective.loss(value)
    return objective.loss(math.copysign(math.log10(1.0 + abs(value)), value))


@dataclass(frozen=True, eq=False)
class Losses:
    """Predicted losses and their deviations, both `[n, m]`, quality first, each on its scale."""

    mean: Matrix
    std: Matrix


class LossModel:
    """Predicts all objectives of candidates from finished trials.

    FLOPs, MACs, parameters and bytes of tables come from the formulas of the blocks and have no deviation, as long as
    what was measured agrees with them; every other cost is learned by a model of its own, on its logarithm.
    """

    def __init__(
        self, space: SearchSpace, schema: FeatureSchema | None, objectives: Sequence[Objective], guide: Predictor
    ) -> None:
        self.objectives = quality_first(objectives)
        self._space = space
        self._schema = schema
        self._guide = guide
        self._models: dict[str, Predictor] = {}
        self._is_formula = {one.metric: schema is not None and one.metric in CLOSED_FORM for one in self.objectives}

    def fit(self, trials: Sequence[Trial]) -> None:
        """Learns from the trials, with seeds that depend on their number alone."""
        self._guide.fit(trials, self.objectives[0].metric, rng=np.random.default_rng(len(trials)))
        complete = [one for one in trials if one.state is TrialState.COMPLETE]
        for objective in self.objectives[1:]:
            self._is_formula[objective.metric] = self._agrees(objective, complete)
            if not self._is_formula[objective.metric]:
                scaled = [_scaled_trial(one, objective) for one in complete if one.value(objective.metric) is not None]
                model = self._models.get(objective.metric) or _cost_model(self._space, self._schema)
                rng = np.random.default_rng([len(trials), 1])
                self._models[objective.metric] = model.fit(scaled, objective.metric, rng=rng)

    def predict(self, candidates: Sequence[Candidate]) -> Losses:
        """All losses of the candidates; `fit` comes first."""
        suggestions = [Suggestion(candidate) for candidate in candidates]
        quality = self._guide.predict(suggestions)
        mean, std = [quality.mean], [quality.std]
        for objective in self.objectives[1:]:
            if self._is_formula[objective.metric]:
                mean.append(np.array([self._computed(objective, candidate) for candidate in candidates]))
                std.append(np.zeros(len(candidates)))
            else:
                found = self._models[objective.metric].predict(suggestions)
                mean.append(found.mean)
                std.append(found.std)
        return Losses(np.stack(mean, axis=1), np.stack(std, axis=1))

    def is_affordable(self, candidate: Candidate) -> bool:
        """Whether it keeps every bound on a cost that is known beforehand."""
        bounded = [one for one in self.objectives[1:] if one.bound is not None and self._is_formula[one.metric]]
        return all(self._computed(one, candidate) <= scaled_loss(one, one.bound or 0.0) for one in bounded)

    def _computed(self, objective: Objective, candidate: Candidate) -> float:
        """By formula; infinite where it does not tell."""
        try:
            (value,) = closed_form_costs(candidate, self._schema, [objective.metric])
        except SearchSpaceError:
            return math.inf
        return math.inf if np.isnan(value) else scaled_loss(objective, float(value))

    def _agrees(self, objective: Objective, complete: Sequence[Trial]) -> bool:
        if not self._is_formula[objective.metric]:
            return False
        for trial in complete:
            value = trial.value(objective.metric)
            if value is not None:
                apart = abs(self._computed(objective, trial.candidate) - scaled_loss(objective, value))
                if not apart <= math.log10(1.0 + TOLERANCE):
                    return False
        return True


def _scaled_trial(trial: Trial, objective: Objective) -> Trial:
    """The trial with the cost alone, such that its loss is the scaled one."""
    scaled = scaled_loss(objective, trial.value(objective.metric) or 0.0)
    metric = Metric(objective.loss(scaled))
    return replace(trial, evaluation=Evaluation({objective.metric: metric}))


def _cost_model(space: SearchSpace, schema: FeatureSchema | None) -> Predictor:
    # Imported here: scipy takes a while to load.
    from predictors.wl_gp import WLGP

    return WLGP(space, schema, trees=False, compress=False)
