"""Every objective of a candidate as a loss with its deviation: one by a guide, costs by formula where there is one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.control import QUALITY_METRICS, quality_objective
from automl.proposals._known_costs import KnownCosts
from automl.proposals._learnable import LEARNED_AS, with_loss
from automl.proposals._told import prediction_memo
from evaluators import Goal, Objective, Suggestion, Trial, TrialState
from predictors import Prediction, Predictor, TellsFailures
from searchspaces import Candidate, FeatureSchema, SearchSpace, Value

Matrix = NDArray[np.float64]
Vector = NDArray[np.float64]


def quality_first(objectives: Sequence[Objective]) -> tuple[Objective, ...]:
    """The objective that measures quality, then the others in their order."""
    quality = quality_objective(objectives)
    return (quality, *(one for one in objectives if one is not quality))


def scaled_loss(objective: Objective, value: float) -> float:
    """The loss on the scale on which it is compared: a quality as it is, a cost as a logarithm to base 10."""
    if is_quality(objective):
        return objective.loss(value)
    return objective.loss(math.copysign(math.log10(1.0 + abs(value)), value))


def unscaled(objective: Objective, losses: Vector) -> Vector:
    """The values of the metric whose `scaled_loss` these are, `[n]`."""
    signed = losses if objective.goal is Goal.MINIMIZE else -losses
    if is_quality(objective):
        return signed
    found: Vector = np.copysign(np.expm1(np.log(10.0) * np.abs(signed)), signed)
    return found


def unscaled_prediction(objective: Objective, scaled: Prediction) -> Prediction:
    """In the metric's own unit, from a prediction of scaled losses: the median, and the spread to first order."""
    values = unscaled(objective, scaled.mean)
    slope = np.ones(len(values)) if is_quality(objective) else np.log(10.0) * (1.0 + np.abs(values))
    return Prediction(values, slope * scaled.std)


def is_quality(objective: Objective) -> bool:
    """Whether it is compared as it is, and not by its logarithm."""
    return objective.metric in QUALITY_METRICS or objective.metric.startswith("ne_")


@dataclass(frozen=True, eq=False)
class Losses:
    """Predicted losses and their deviations, both `[n, m]`, quality first, each on its scale.

    `failing [n]` is how likely each fails, where that is told apart from the losses; None where it is part of them.
    """

    mean: Matrix
    std: Matrix
    failing: Vector | None = None


class LossModel:
    """Predicts all objectives of candidates from finished trials.

    Costs that candidates tell themselves (`KnownCosts`) have no deviation, as long as what was measured agrees with
    them; every other cost, of whatever name and goal, is learned by a model of its own, on its logarithm.
    """

    def __init__(
        self, space: SearchSpace, schema: FeatureSchema | None, objectives: Sequence[Objective], guide: Predictor
    ) -> None:
        self.objectives = quality_first(objectives)
        self._space = space
        self._schema = schema
        self._guide = guide
        self._models: dict[str, Predictor] = {}
        self._costs = KnownCosts(self.objectives[1:], schema)
        self._checked = 0

    def fit(self, trials: Sequence[Trial]) -> None:
        """Learns from the trials, which only grow from call to call, with seeds that depend on their number alone."""
        self._guide.fit(trials, self.objectives[0].metric, rng=np.random.default_rng(len(trials)))
        self._costs.check(trials[self._checked :])
        self._checked = len(trials)
        for objective in self.objectives[1:]:
            if objective not in self._costs.objectives:
                scaled = [_scaled_trial(one, objective) for one in trials if _has_value(one, objective)]
                model = self._models.get(objective.metric) or cost_model(self._space, self._schema)
                rng = np.random.default_rng([len(trials), 1])
                self._models[objective.metric] = model.fit(scaled, LEARNED_AS, rng=rng)

    def predict(self, candidates: Sequence[Candidate]) -> Losses:
        """All losses of the candidates; `fit` comes first."""
        suggestions, failing = [Suggestion(candidate) for candidate in candidates], None
        if isinstance(self._guide, TellsFailures):
            quality, failing = self._guide.apart(suggestions)
        else:
            quality = self._guide.predict(suggestions)
        mean, std = [quality.mean], [quality.std]
        known = self._known(candidates)
        for objective in self.objectives[1:]:
            if objective.metric in known:
                mean.append(known[objective.metric])
                std.append(np.zeros(len(candidates)))
            else:
                found = self._models[objective.metric].predict(suggestions)
                mean.append(found.mean)
                std.append(found.std)
        return Losses(np.stack(mean, axis=1), np.stack(std, axis=1), failing)

    def memo(self, losses: Losses, at: int) -> dict[str, Value]:
        """What `predict` said of the candidate of that place, for the memo of its suggestion: see `prediction_memo`."""
        further = {
            one.metric: unscaled_prediction(one, Prediction(losses.mean[:, place], losses.std[:, place]))
            for place, one in enumerate(self.objectives)
            if place and one not in self._costs.objectives
        }
        return prediction_memo(Prediction(losses.mean[:, 0], losses.std[:, 0]), at, further)

    def is_affordable(self, candidate: Candidate) -> bool:
        """Whether it keeps every bound on a cost that is known beforehand."""
        bounded = [one for one in self._costs.objectives if one.bound is not None]
        known = self._known([candidate]) if bounded else {}
        return all(known[one.metric][0] <= scaled_loss(one, one.bound or 0.0) for one in bounded)

    def _known(self, candidates: Sequence[Candidate]) -> dict[str, Vector]:
        """Scaled losses `[n]` of the costs that are known, by metric; infinite where a candidate does not tell."""
        values = self._costs.values(candidates)
        return {
            objective.metric: np.array([_loss_or_infinite(objective, value) for value in column])
            for objective, column in zip(self._costs.objectives, values.T.tolist(), strict=True)
        }


def _loss_or_infinite(objective: Objective, value: float) -> float:
    return math.inf if math.isnan(value) else scaled_loss(objective, value)


def _has_value(trial: Trial, objective: Objective) -> bool:
    return trial.state is TrialState.COMPLETE and trial.value(objective.metric) is not None


def _scaled_trial(trial: Trial, objective: Objective) -> Trial:
    """The trial with the scaled loss of the cost alone."""
    return with_loss(trial, scaled_loss(objective, trial.value(objective.metric) or 0.0))


def cost_model(space: SearchSpace, schema: FeatureSchema | None) -> Predictor:
    """What learns a cost by its scaled loss, in a tenth of a second at a hundred trials."""
    # Imported here: scipy takes a while to load.
    from predictors.wl_gp import WLGP

    return WLGP(space, schema, trees=False, compress=False)
