"""A rehearsal in a real process: what it tells agrees with a whole trial, and its death is told, not shared."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from evaluators import Evaluation, EvaluatorError, Failure, Suggestion
from evaluators._datasets import Dataset
from evaluators._training.rehearsal import Rehearsal, Timing
from evaluators.train import Train
from searchspaces import Candidate
from tests.evaluators.small_data import mlp

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def evaluator(dataset: Dataset) -> Iterator[Train]:
    made = Train(dataset.folder, 1, threads=1, device="cpu", batch_size=32, timeout_seconds=60.0)
    yield made
    made.close()


def test_a_rehearsal_agrees_with_a_whole_trial(evaluator: Train) -> None:
    ((_, outcome),) = evaluator.evaluate([Suggestion(mlp())])
    with Rehearsal(evaluator) as rehearsal:
        timing = rehearsal.time(mlp())
        assert rehearsal.check(mlp()) == {}
    assert isinstance(timing, Timing)
    assert isinstance(outcome, Evaluation)
    assert (timing.steps, timing.rows) == (63, 2000)
    assert timing.evaluation.value("params") == outcome.value("params")
    assert timing.peak_bytes == pytest.approx(outcome.value("peak_memory_bytes"), rel=0.2)
    assert rehearsal.start_seconds > 0
    assert (rehearsal.device, rehearsal.device_bytes) == ("cpu", None)


def test_a_candidate_that_cannot_be_trained_is_a_failure(evaluator: Train) -> None:
    with Rehearsal(evaluator) as rehearsal:
        failure = rehearsal.time(mlp(passes=0))
        assert isinstance(failure, Failure)
        assert "'passes' must be a whole number" in failure.reason
        assert rehearsal.check(mlp(passes=0)) == {"": failure.reason}
        assert "needs an architecture" in rehearsal.check(Candidate())[""]


def test_a_dead_process_is_told_and_started_anew(evaluator: Train) -> None:
    with Rehearsal(evaluator, workers=2) as rehearsal:
        os.kill(rehearsal.pids[0], signal.SIGKILL)
        failure = rehearsal.time(mlp())
        assert isinstance(failure, Failure)
        assert "SIGKILL" in failure.reason
        assert isinstance(rehearsal.time(mlp()), Timing)


def test_missing_data_is_an_error(evaluator: Train) -> None:
    with pytest.raises(EvaluatorError), Rehearsal(Train("no-such-data", 1)):  # type: ignore[arg-type]
        pass
