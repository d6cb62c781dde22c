"""Further objectives as costs: small is cheap, whatever way the metric goes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from automl.proposals import KnownAndLearned, LearnedCosts, closed_form_costs, cost_model
from evaluators import Evaluation, Goal, Metric, Objective, Suggestion, Trial
from predictors import Prediction
from predictors.roofline import Roofline
from searchspaces import Candidate, FeatureSchema
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished
from tests.searchspaces.graphs import schema

SPACE = Bitstrings(3)
SCHEMA = schema()
GRAPHS = AutoCTR(SCHEMA, blocks=3)
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


class Seen(Told):
    """Remembers the trials too."""

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Seen:
        self.trials = list(trials)
        super().fit(trials, metric, rng=rng)
        return self


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


@pytest.mark.parametrize("goal", list(Goal))
@pytest.mark.parametrize("metric", ["clicks", "qps", "step_seconds"])
def test_a_cost_follows_the_goal_whatever_the_metric_is_called(metric: str, goal: Goal) -> None:
    every = [SPACE.to_candidate({f"bit0{at}": number >> at & 1 for at in range(3)}) for number in range(8)]
    trials = [
        finished(at, Suggestion(one), Evaluation({metric: Metric(4.0 + 4.0 * (at & 1))}))
        for at, one in enumerate(every)
    ]
    costs = LearnedCosts(SPACE, (Objective(metric, goal),), lambda: Roofline(SPACE, trees=False))
    costs.learn(trials)
    low, high = costs.values(CANDIDATES)[:, 0]
    assert bool(low < high) is (goal is Goal.MINIMIZE)


def test_what_has_no_value_of_a_cost_tells_nothing_of_it_by_another_metric() -> None:
    trials = [finished(at, Suggestion(one, replicate=at)) for at, one in enumerate(CANDIDATES * 4)]  # they have params
    seen = Seen()
    LearnedCosts(SPACE, (Objective("clicks", Goal.MAXIMIZE),), lambda: seen).learn(trials)
    assert [one.value(seen.metric) for one in seen.trials] == [None] * 8


@pytest.mark.parametrize("objective", [Objective("qps", bound=20.0), Objective("rent", Goal.MINIMIZE, bound=20.0)])
def test_what_is_learned_by_its_logarithm_costs_what_it_is(objective: Objective) -> None:
    rng = np.random.default_rng(0)
    space = Bitstrings(6)
    drawn = [space.sample(rng) for _ in range(40)]
    values = [2.0 ** float(space.encode(one).sum()) for one in drawn]
    costs = LearnedCosts(space, (objective,), lambda: cost_model(space, None), scaled=True)
    costs.learn(
        [
            finished(at, Suggestion(one), Evaluation({objective.metric: Metric(value)}))
            for at, (one, value) in enumerate(zip(drawn, values, strict=True))
        ]
    )
    found = costs.values(drawn)[:, 0]
    assert [costs.costs[0].is_kept(float(one)) for one in found] == [objective.is_kept(one) for one in values]


def grounded(schema: FeatureSchema | None, factor: float) -> tuple[KnownAndLearned, list[Candidate]]:
    """After six graphs whose FLOPs were measured as those of the formula, times the factor."""
    objectives = [Objective("step_seconds"), Objective("flops", bound=5.0)]
    ground = KnownAndLearned(GRAPHS, schema, objectives, lambda: cost_model(GRAPHS, schema))
    rng = np.random.default_rng(0)
    drawn = [GRAPHS.sample(rng) for _ in range(6)]
    outcomes = [
        Evaluation(
            {"step_seconds": Metric(1.0), "flops": Metric(factor * closed_form_costs(one, SCHEMA, ["flops"])[0])}
        )
        for one in drawn
    ]
    ground.learn([finished(at, Suggestion(one), outcomes[at]) for at, one in enumerate(drawn)])
    return ground, drawn


def test_formulas_come_before_what_is_learned() -> None:
    ground, drawn = grounded(SCHEMA, 1.0)
    assert [one.metric for one in ground.costs] == ["flops", "step_seconds"]
    assert ground.values(drawn)[:, 0].tolist() == [closed_form_costs(one, SCHEMA, ["flops"])[0] for one in drawn]
    assert list(ground.predicted(drawn)) == ["step_seconds"]
    assert ground.costs[0].bound == 5.0


@pytest.mark.parametrize(("has_schema", "factor"), [(True, 3.0), (False, 1.0)])
def test_what_is_measured_otherwise_or_has_no_formula_is_learned(has_schema: bool, factor: float) -> None:
    ground, drawn = grounded(SCHEMA if has_schema else None, factor)
    assert [one.metric for one in ground.costs] == ["step_seconds", "flops"]
    assert np.isfinite(ground.values(drawn)).all()
    true = factor * np.array([closed_form_costs(one, SCHEMA, ["flops"])[0] for one in drawn])
    assert np.corrcoef(np.log(ground.predicted(drawn)["flops"].mean), np.log(true))[0, 1] > 0.9
