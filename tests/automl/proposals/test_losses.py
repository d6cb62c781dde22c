from __future__ import annotations

import math

import numpy as np
import pytest

from automl.proposals import Losses, LossModel, quality_first, scaled_loss
from automl.proposals._losses import unscaled
from evaluators import Evaluation, Goal, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate, FeatureSchema, Field, Kind
from searchspaces.cost import cost
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished
from tests.automl.proposals.known_loss import Constant, KnownLoss

SCHEMA = FeatureSchema((Field("price", Kind.NUMERIC), *(Field(f"id{at}", Kind.CATEGORICAL, 9) for at in range(3))))
SPACE = AutoCTR(SCHEMA, blocks=3)
LATENCY = Objective("latency_ms_p50")


def flops(candidate: Candidate) -> int:
    assert candidate.architecture is not None
    return cost(candidate.architecture, SCHEMA).flops


def sampled(count: int) -> list[Candidate]:
    rng = np.random.default_rng(0)
    return [SPACE.sample(rng) for _ in range(count)]


def graph_model(bound: float | None = None) -> LossModel:
    return LossModel(SPACE, SCHEMA, (Objective("flops", bound=bound), Objective("ne")), KnownLoss())


def bits_trials(count: int) -> list[Trial]:
    rng = np.random.default_rng(0)
    return [finished(at, Suggestion(Bitstrings().sample(rng))) for at in range(count)]


def test_quality_comes_first() -> None:
    ordered = quality_first((Objective("flops"), Objective("auc"), Objective("params")))
    assert [one.metric for one in ordered] == ["auc", "flops", "params"]


@pytest.mark.parametrize(
    ("objective", "value", "expected"),
    [
        (Objective("ne"), 0.8, 0.8),
        (Objective("auc"), 0.7, -0.7),
        (Objective("flops"), 999.0, 3.0),
        (Objective("qps"), 99.0, -2.0),
        (Objective("debt", Goal.MINIMIZE), -9.0, -1.0),
    ],
)
def test_costs_are_compared_by_their_logarithm(objective: Objective, value: float, expected: float) -> None:
    assert scaled_loss(objective, value) == pytest.approx(expected)
    assert unscaled(objective, np.array([expected])) == pytest.approx([value])


def test_bounds_hold_before_anything_is_measured() -> None:
    candidates = sampled(20)
    bound = float(np.median([flops(one) for one in candidates]))
    model = graph_model(bound)
    assert [model.is_affordable(one) for one in candidates] == [flops(one) <= bound for one in candidates]


def test_a_cost_without_formula_is_learned_on_its_logarithm() -> None:
    def timed(trial: Trial) -> Trial:
        ones = trial.value("flops") or 0.0
        return finished(
            trial.number, trial.suggestion, Evaluation({"ne": Metric(0.8), LATENCY.metric: Metric(10.0**ones)})
        )

    model = LossModel(Bitstrings(), None, (Objective("ne"), LATENCY), KnownLoss())
    model.fit([timed(one) for one in bits_trials(60)])
    held_out = [one.candidate for one in bits_trials(80)[60:]]
    ones = np.array([sum(int(str(bit)) for bit in one.training.values()) for one in held_out])
    found = model.predict(held_out)
    np.testing.assert_allclose(found.mean[:, 1], ones, atol=1.5)
    assert (found.std[:, 1] > 0).all()


@pytest.mark.parametrize(
    "objective",
    [Objective("rent", Goal.MINIMIZE), Objective("clicks", Goal.MAXIMIZE), Objective("flops", Goal.MAXIMIZE)],
)
def test_a_cost_of_any_name_and_goal_is_learned(objective: Objective) -> None:
    def worth(trial: Trial) -> float:
        ones = trial.value("params") or 0.0
        return float(10.0 ** (ones if objective.goal is Goal.MINIMIZE else 25.0 - ones))

    def told(trial: Trial) -> Trial:
        metrics = {"ne": Metric(0.8), objective.metric: Metric(worth(trial))}
        return finished(trial.number, trial.suggestion, Evaluation(metrics))

    model = LossModel(Bitstrings(), None, (Objective("ne"), objective), KnownLoss())
    model.fit([told(one) for one in bits_trials(60)])
    held_out = bits_trials(80)[60:]
    found = model.predict([one.candidate for one in held_out])
    true = [scaled_loss(objective, worth(one)) for one in held_out]
    np.testing.assert_allclose(found.mean[:, 1], true, atol=1.5)


def test_a_memo_has_what_is_learned_in_the_units_of_the_metrics_and_nothing_that_is_known() -> None:
    candidates = sampled(6)
    objectives = (Objective("flops"), Objective("ne"), Objective("qps"))
    outcomes = [
        Evaluation({"ne": Metric(0.8), "flops": Metric(float(flops(one))), "qps": Metric(99.0)}) for one in candidates
    ]
    model = LossModel(SPACE, SCHEMA, objectives, Constant())
    model.fit([finished(at, Suggestion(candidates[at]), one) for at, one in enumerate(outcomes)])
    memo = model.memo(Losses(np.array([[0.5, 5.0, -2.0]]), np.array([[0.1, 0.0, 0.01]])), 0)
    assert memo == pytest.approx(
        {"predicted": 0.5, "spread": 0.1, "predicted_qps": 99.0, "spread_qps": 100.0 * math.log(10.0) * 0.01}
    )


def test_quality_is_what_the_guide_says() -> None:
    model = LossModel(Bitstrings(), None, (Objective("ne"),), KnownLoss(std=0.3))
    trials = bits_trials(5)
    model.fit(trials)
    found = model.predict([one.candidate for one in trials])
    np.testing.assert_allclose(found.mean[:, 0], [float(one.value("ne") or 0.0) for one in trials])
    np.testing.assert_allclose(found.std, 0.3)


def test_a_formula_that_agrees_with_what_was_measured_stays_exact() -> None:
    candidates = sampled(6)
    outcomes = [Evaluation({"ne": Metric(0.8), "flops": Metric(float(flops(one)))}) for one in candidates]
    model = LossModel(SPACE, SCHEMA, (Objective("ne"), Objective("flops")), Constant())
    model.fit([finished(at, Suggestion(candidates[at]), one) for at, one in enumerate(outcomes)])
    found = model.predict(candidates)
    np.testing.assert_allclose(found.mean[:, 1], [math.log10(1 + flops(one)) for one in candidates])
    np.testing.assert_allclose(found.std[:, 1], 0.0)
