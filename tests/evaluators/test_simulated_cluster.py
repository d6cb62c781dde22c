"""The evaluator of training systems: metrics by hand, failures by kind."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Fidelity, Suggestion
from evaluators.simulated_cluster import SimulatedCluster
from searchspaces import Candidate, Options
from searchspaces.spaces.autoctr import AutoCTR
from searchspaces.spaces.codesign import Codesign
from tests.evaluators.small_data import SCHEMA

MODEL = {"tables": [{"rows": 1_000_000, "dim": 64, "hotness": 4.0}], "dense": {"macs": 1_000_000}}
SPACE = Codesign(SCHEMA, model=MODEL, cluster={"device": "H100", "hosts": [1, 2]})
CANDIDATE = SPACE.sample(np.random.default_rng(1))


def outcome(candidate: Candidate, space: Codesign = SPACE) -> Evaluation | Failure:
    ((_, found),) = SimulatedCluster(space).evaluate([Suggestion(candidate)])
    return found


def test_speed_price_and_seconds_say_the_same() -> None:
    found = outcome(CANDIDATE)
    assert isinstance(found, Evaluation)
    plan = SPACE.plan(CANDIDATE)
    rate = plan.global_batch / found.value("step_seconds")
    assert found.value("examples_per_second") == found.value("qps") == pytest.approx(rate)
    dollars = plan.cluster.devices * 3.5 / 3600 / rate * 1e9
    assert found.value("dollars_per_billion_examples") == pytest.approx(dollars)


def test_terms_add_up_to_the_step() -> None:
    found = outcome(CANDIDATE)
    assert isinstance(found, Evaluation)
    terms = [metric.value for name, metric in found.metrics.items() if name.startswith("step_seconds_")]
    assert sum(terms) == pytest.approx(found.value("step_seconds"))


def test_what_a_device_cannot_hold_fails_as_out_of_memory() -> None:
    huge = 2**31
    space = Codesign(SCHEMA, model=MODEL, cluster={}, knobs={"global_batch": [8_192, huge], "accumulation": [1]})
    assignment = {**space.to_assignment(space.sample(np.random.default_rng(0))), "global_batch": huge}
    found = outcome(space.to_candidate(assignment), space)
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.OUT_OF_MEMORY
    assert "the fullest device of 1 host(s) of 8 H100 would hold" in found.reason
    assert "but has 68.0 GB beside its reserve" in found.reason


def test_a_candidate_of_another_space_is_invalid() -> None:
    found = outcome(Candidate(None, system=Options(hosts=3)))
    assert isinstance(found, Failure)
    assert found.kind is FailureKind.INVALID
    assert "'hosts' must be one of [1, 2], but is 3" in found.reason


def test_a_prediction_has_no_cheaper_stand_in() -> None:
    ((_, found),) = SimulatedCluster(SPACE).evaluate([Suggestion(CANDIDATE, Fidelity(-1))])
    assert isinstance(found, Failure)
    assert "leave out 'fidelity'" in found.reason


def test_another_space_is_refused() -> None:
    with pytest.raises(EvaluatorError, match="predicts candidates of the space 'codesign', but got AutoCTR"):
        SimulatedCluster(AutoCTR(SCHEMA))


def test_ones_own_coefficients_count(tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    content = '{"coefficients": {"dense": 9, "lookups": 9, "all_reduce": 9, "overhead_seconds": 0.1, "overlap": 0.1}}'
    file.write_text(content, encoding="utf-8")
    ((_, slow),) = SimulatedCluster(SPACE, coefficients=file).evaluate([Suggestion(CANDIDATE)])
    fast = outcome(CANDIDATE)
    assert isinstance(slow, Evaluation)
    assert isinstance(fast, Evaluation)
    assert slow.value("step_seconds") > 0.1 > fast.value("step_seconds")


def test_a_cohort_holds_at_least_one() -> None:
    with pytest.raises(EvaluatorError, match="'cohort_size' must be at least 1, but is 0"):
        SimulatedCluster(SPACE, cohort_size=0)
