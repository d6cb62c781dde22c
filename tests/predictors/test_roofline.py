"""The predictor of systems: equations where there are any, factors where there are none, failures apart."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluators import Evaluation, Failure, FailureKind, Metric, Suggestion, Trial
from evaluators.simulated_cluster import SimulatedCluster
from predictors import PredictorError, rank_correlation
from predictors.roofline import Roofline
from searchspaces import Candidate, SearchSpace
from searchspaces.spaces.codesign import Codesign
from searchspaces.spaces.run_settings import RunSettings
from tests.automl._bitstrings import finished
from tests.evaluators.small_data import SCHEMA

MODEL = {"tables": [{"rows": 20_000_000, "dim": 64, "hotness": 8.0}], "dense": {"macs": 5_000_000}}
LAYOUTS = Codesign(SCHEMA, model=MODEL, cluster={"device": ["A100", "H100"], "hosts": [1, 2, 4]})
CLUSTER = SimulatedCluster(LAYOUTS)
RUNS = RunSettings(SCHEMA)
SPEED = "examples_per_second"


def sampled(space: SearchSpace, count: int, seed: int) -> list[Suggestion]:
    rng = np.random.default_rng(seed)
    found = {one.fingerprint: one for one in (space.sample(rng) for _ in range(count))}
    return [Suggestion(one) for one in found.values()]


def on_cluster(count: int, seed: int = 0) -> list[Trial]:
    return [finished(at, one, outcome(one)) for at, one in enumerate(sampled(LAYOUTS, count, seed))]


def outcome(suggestion: Suggestion) -> Evaluation | Failure:
    ((_, found),) = CLUSTER.evaluate([suggestion])
    return found


def speed(candidate: Candidate) -> float:
    """Each knob multiplies: batches by their square root, ranks and number kinds by factors of their own."""
    knobs = candidate.system
    batch, ranks = float(str(knobs["batch_size"])), float(str(knobs["ranks"]))
    return 1e3 * math.sqrt(batch) * math.pow(ranks, 0.8) * (1.3 if knobs["dtype"] == "bf16" else 1.0)


def of_runs(count: int, seed: int = 0) -> list[Trial]:
    return [
        finished(at, one, Evaluation({SPEED: Metric(speed(one.candidate))}))
        for at, one in enumerate(sampled(RUNS, count, seed))
    ]


def mape(predictor: Roofline, asked: list[Suggestion], true: NDArray[np.float64]) -> float:
    return float(np.mean(np.abs(-predictor.predict(asked).mean / true - 1.0)))


def test_four_runs_are_enough_where_the_equations_are_right() -> None:
    predictor = Roofline(LAYOUTS).fit(on_cluster(5), SPEED, rng=np.random.default_rng(0))
    unseen = on_cluster(30, seed=1)
    true = np.array([one.value(SPEED) for one in unseen])
    assert mape(predictor, [one.suggestion for one in unseen], true) < 0.01


def test_equations_with_wrong_coefficients_order_better_than_none() -> None:
    unseen = on_cluster(60, seed=1)
    true = np.array([-(one.value(SPEED) or 0.0) for one in unseen])
    taus = {}
    for kind in ("peaks", "none"):
        predictor = Roofline(LAYOUTS, equations=kind).fit(on_cluster(16), SPEED, rng=np.random.default_rng(0))
        taus[kind] = rank_correlation(predictor.predict([one.suggestion for one in unseen]).mean, true)
    assert taus["peaks"] > taus["none"] + 0.1


def test_factors_are_found_where_no_cluster_is_described() -> None:
    predictor = Roofline(RUNS).fit(of_runs(40), SPEED, rng=np.random.default_rng(0))
    asked = sampled(RUNS, 50, seed=1)
    assert mape(predictor, asked, np.array([speed(one.candidate) for one in asked])) < 0.05


def test_a_speed_is_predicted_as_a_loss_in_its_own_unit() -> None:
    record = of_runs(40)
    mean = Roofline(RUNS).fit(record, SPEED, rng=np.random.default_rng(0)).predict([record[0].suggestion]).mean
    assert mean[0] == pytest.approx(-speed(record[0].candidate), rel=0.05)


def test_a_price_has_the_same_order_as_the_speed_that_it_is_over() -> None:
    priced = [
        finished(one.number, one.suggestion, Evaluation({"step_seconds": Metric(1.0 / speed(one.candidate))}))
        for one in of_runs(30)
    ]
    asked = sampled(RUNS, 30, seed=1)
    fast = Roofline(RUNS).fit(of_runs(30), SPEED, rng=np.random.default_rng(0)).predict(asked).mean
    short = Roofline(RUNS).fit(priced, "step_seconds", rng=np.random.default_rng(0)).predict(asked).mean
    np.testing.assert_allclose(-1.0 / fast, short, rtol=1e-6)


def test_what_memory_cannot_hold_is_predicted_as_a_failure() -> None:
    huge = 2**31
    space = Codesign(SCHEMA, model=MODEL, cluster={}, knobs={"global_batch": [8_192, huge], "accumulation": [1]})
    evaluator, drawn = SimulatedCluster(space), sampled(space, 60, seed=0)
    ended = [finished(at, drawn[at], found) for at, found in evaluator.evaluate(drawn)]
    fits = [one for one in ended if one.evaluation is not None]
    predictor = Roofline(space).fit(fits[:20], SPEED, rng=np.random.default_rng(0))
    failed = [one.suggestion for one in ended if one.evaluation is None]
    worst = max(-(one.value(SPEED) or 0.0) for one in fits[:20])
    assert failed
    np.testing.assert_allclose(predictor.predict(failed).mean, worst, rtol=1e-6)


def test_failures_are_no_losses_of_the_others() -> None:
    failure = Failure(FailureKind.OUT_OF_MEMORY, "too large")
    record = [
        finished(one.number, one.suggestion, failure if one.candidate.system["batch_size"] == 4096 else one.evaluation)
        for one in of_runs(60)
    ]
    asked = [one for one in sampled(RUNS, 60, seed=1) if one.candidate.system["batch_size"] in (256, 512)]
    predictor = Roofline(RUNS).fit(record, SPEED, rng=np.random.default_rng(0))
    assert mape(predictor, asked, np.array([speed(one.candidate) for one in asked])) < 0.1


def test_unknown_equations_are_refused() -> None:
    with pytest.raises(PredictorError, match="equations must be one of calibrated, peaks, none, but is 'true'"):
        Roofline(LAYOUTS, equations="true")
