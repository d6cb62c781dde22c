from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Suggestion
from evaluators._distributed.launch import Window
from evaluators._training.child_process import ChildEnded
from evaluators.measured_run import MeasuredRun, _Timed
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


def test_a_run_during_which_the_warm_process_ends_is_tried_again(evaluator: MeasuredRun) -> None:
    evaluator.open()
    assert evaluator._warm is not None
    assert evaluator._standing is not None
    os.kill(evaluator._warm.pid, signal.SIGKILL)
    evaluator._warm._process.wait()
    evaluator._standing.close()
    evaluator._standing = Alive()  # type: ignore[assignment]  # the control looks well until it is asked
    assert isinstance(_run(evaluator), Evaluation)


class Alive:
    """Ranks that are there and do nothing."""

    is_alive = True

    def close(self) -> None:
        """Nothing is held."""


def test_a_run_that_ends_the_warm_process_twice_is_a_crash(
    evaluator: MeasuredRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ending(_: object) -> None:
        assert evaluator._warm is not None
        os.kill(evaluator._warm.pid, signal.SIGKILL)
        evaluator._warm._process.wait()
        raise ChildEnded(-9, "")

    monkeypatch.setattr(evaluator, "_measured", ending)
    outcome = _run(evaluator)
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.CRASHED
    assert "the warm process ended 2 times" in outcome.reason


def test_a_control_that_cannot_start_is_told_as_such(folder: Path) -> None:
    one = MeasuredRun(folder, SCHEMA, 1, control={"batch_size": 4096}, warm=False)
    with pytest.raises(EvaluatorError, match=r"the control must run, .* at most as many rows.*another 'control'"):
        _run(one)
    limited = MeasuredRun(folder, SCHEMA, 1, timeout_seconds=0.05, warm=False)
    with pytest.raises(EvaluatorError, match=r"not ready in 0\.05 seconds; raise timeout_seconds"):
        _run(limited)


def test_a_control_that_cannot_run_is_an_error(folder: Path) -> None:
    with pytest.raises(EvaluatorError, match="'ranks' and 'groups' contradict"):
        MeasuredRun(folder, SCHEMA, 1, control={"groups": 2})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"windows": "3"}, "'windows' must be whole and positive, but is '3'"),
        ({"window_seconds": 0}, "'window_seconds' must be positive, but is 0"),
        ({"memory_limit_mb": 0.5}, "'memory_limit_mb' must be whole and positive, but is 0.5"),
        ({"control": "fp32"}, "'control' names settings by knob, as {ranks: 2}, but is 'fp32'"),
    ],
)
def test_a_wrong_option_is_told(folder: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(EvaluatorError, match=words):
        MeasuredRun(folder, SCHEMA, 1, **options)


def test_rows_count_for_each_model_of_a_cohort(evaluator: MeasuredRun) -> None:
    outcome = _run(evaluator, cohort=4, table_layout="by_field", loader_workers=1, embedding_dim=8)
    assert isinstance(outcome, Evaluation)
    timed = _Timed(Still(), replace(evaluator._base, batch_size=64, cohort=4), 0.0)  # type: ignore[arg-type]
    assert timed.speed() == pytest.approx(4 * 64 / 0.5)


class Still:
    """Ranks that take half a second for each step."""

    def steps(self, count: int, *, seconds: float) -> Window:
        """So many steps, in no time."""
        del seconds
        return Window((0.5,) * count, (0.5,) * count, 1)
