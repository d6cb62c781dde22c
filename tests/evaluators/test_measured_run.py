from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Suggestion
from evaluators.measured_run import MeasuredRun
from searchspaces import Candidate, Options
from tests.evaluators.small_data import SCHEMA, write_small_data


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small").folder


@pytest.fixture(scope="module")
def evaluator(folder: Path) -> Iterator[MeasuredRun]:
    one = MeasuredRun(folder, SCHEMA, 1, control={"batch_size": 64}, windows=2, window_seconds=0.05, warm_up_steps=2)
    yield one
    one.close()


def _run(evaluator: MeasuredRun, **knobs: object) -> Evaluation | Failure:
    [(_, outcome)] = evaluator.evaluate([Suggestion(Candidate(None, system=Options(knobs)))])
    return outcome


def test_a_run_of_two_processes_is_measured(evaluator: MeasuredRun) -> None:
    outcome = _run(evaluator, ranks=2, sharding="row", prefetch=1)
    assert isinstance(outcome, Evaluation)
    assert outcome.metrics["speed_ratio"].value > 0
    assert outcome.metrics["speed_ratio"].stderr is not None
    assert outcome.metrics["peak_memory_bytes"].value > 2 * 50e6


def test_a_contradiction_is_a_result(evaluator: MeasuredRun) -> None:
    outcome = _run(evaluator, sync_interval=4)
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.INVALID
    assert "'sync_interval' and 'groups' contradict" in outcome.reason


def test_too_little_memory_is_a_result(evaluator: MeasuredRun) -> None:
    evaluator.open()
    evaluator.memory_limit_mb = 130
    try:
        outcome = _run(evaluator, batch_size=2000)
    finally:
        evaluator.memory_limit_mb = None
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.OUT_OF_MEMORY


def test_a_control_that_cannot_run_is_an_error(folder: Path) -> None:
    with pytest.raises(EvaluatorError, match="'ranks' and 'groups' contradict"):
        MeasuredRun(folder, SCHEMA, 1, control={"groups": 2})
