"""Further objectives as costs: small is cheap, whatever way the metric goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from automl.proposals import LearnedCosts
from evaluators import Objective, Suggestion, Trial
from predictors import Prediction
from tests.automl._bitstrings import Bitstrings

SPACE = Bitstrings(3)
CANDIDATES = [SPACE.to_candidate({"bit00": one, "bit01": 0, "bit02": 0}) for one in (0, 1)]


class Told:
    """Predicts 4 and 8 of any metric, and remembers what it learned."""

    def __init__(self) -> None:
        self.metric = ""

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Told:
        self.metric = metric
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        values = np.array([4.0 if one.candidate.training["bit00"] == 0 else 8.0 for one in suggestions])
        return Prediction(-values if self.metric == "qps" else values, np.zeros(len(suggestions)))


def test_costs_are_unknown_before_the_first_fit() -> None:
    costs = LearnedCosts(SPACE, (Objective("step_seconds"),), Told)
    assert np.isnan(costs.values(CANDIDATES)).all()


def test_what_should_be_small_costs_its_value_and_what_should_be_large_its_reciprocal() -> None:
    costs = LearnedCosts(SPACE, (Objective("step_seconds"), Objective("qps")), Told)
    costs.learn([])
    values = costs.values(CANDIDATES)
    assert values[1, 0] / values[0, 0] == pytest.approx(2.0)
    assert values[0, 1] / values[1, 1] == pytest.approx(2.0)
    assert values.min() >= 1.0


@pytest.mark.parametrize(("metric", "kept"), [("qps", [False, True]), ("step_seconds", [True, False])])
def test_a_bound_is_kept_by_the_cost_where_the_metric_keeps_it(metric: str, kept: list[bool]) -> None:
    costs = LearnedCosts(SPACE, (Objective(metric, bound=6.0),), Told)
    costs.learn([])
    (objective,) = costs.costs
    assert [objective.is_kept(float(value)) for value in costs.values(CANDIDATES)[:, 0]] == kept
