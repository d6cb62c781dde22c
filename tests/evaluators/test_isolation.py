"""A cohort in a real child process of which one member is guilty: it fails as what it is, the others are as alone."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pytest

from evaluators import Evaluation, Failure, FailureKind
from evaluators._datasets import Dataset
from evaluators._training.child_process import ChildProcess
from evaluators.train import Train
from searchspaces import Candidate
from tests.evaluators.small_data import mlp, suggest, write_small_data

MEMORY_LIMIT_MB = 1500
TOO_WIDE = 1_000_000
"""512 hidden rows of it take 2 GB."""

DEADLY_WIDTH = 17
PASSES = 100
"""So many that a pass is longer than `KILLED_AFTER_SECONDS`."""

KILLED_AFTER_SECONDS = 0.2

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_small_data(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture
def evaluator(dataset: Dataset) -> Iterator[Train]:
    made = Train(dataset.folder, 1, threads=1, timeout_seconds=120.0, memory_limit_mb=MEMORY_LIMIT_MB)
    yield made
    made.close()


def _outcomes(evaluator: Train, cohort: Sequence[Candidate]) -> list[Evaluation | Failure]:
    found = dict(evaluator.evaluate([suggest(one) for one in cohort]))
    assert sorted(found) == list(range(len(cohort)))
    return [found[at] for at in range(len(cohort))]


def _quality(outcome: Evaluation | Failure) -> Mapping[str, Any]:
    assert isinstance(outcome, Evaluation)
    names = ("ne", "auc", "logloss", "calibration", "ne_calibrated", "ne_progressive")
    return {name: outcome.metrics[name] for name in names} | {"curve": outcome.curve}


def _kinds(found: Sequence[Evaluation | Failure]) -> list[FailureKind | None]:
    return [one.kind if isinstance(one, Failure) else None for one in found]


def _same_as_alone(evaluator: Train, cohort: Sequence[Candidate], found: Sequence[Evaluation | Failure]) -> None:
    for candidate, outcome in zip(cohort, found, strict=True):
        if isinstance(outcome, Evaluation):
            (alone,) = _outcomes(evaluator, [candidate])
            assert _quality(outcome) == _quality(alone)


def test_divergence_and_too_little_memory_are_those_of_the_guilty_alone(evaluator: Train) -> None:
    cohort = [mlp(), mlp(learning_rate=1e30), mlp(TOO_WIDE), mlp(24)]
    found = _outcomes(evaluator, cohort)
    assert _kinds(found) == [None, FailureKind.DIVERGED, FailureKind.OUT_OF_MEMORY, None]
    _same_as_alone(evaluator, cohort, found)


def test_a_child_that_is_killed_while_a_cohort_trains_costs_the_deadly_member_alone(
    evaluator: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    say = ChildProcess.say
    kills: list[int] = []

    def say_and_kill(self: ChildProcess, message: Mapping[str, Any]) -> None:
        say(self, message)
        if f'"width": {DEADLY_WIDTH}' in str(message).replace("'", '"'):
            kills.append(len(message["members"]))
            threading.Timer(KILLED_AFTER_SECONDS, os.kill, (self.pid, signal.SIGKILL)).start()

    monkeypatch.setattr(ChildProcess, "say", say_and_kill)
    cohort = [mlp(passes=PASSES), mlp(DEADLY_WIDTH, passes=PASSES), mlp(24, passes=PASSES)]
    found = _outcomes(evaluator, cohort)
    assert kills == [3, 1]
    assert _kinds(found) == [None, FailureKind.CRASHED, None]
    assert isinstance(found[1], Failure)
    assert "SIGKILL" in found[1].reason
    _same_as_alone(evaluator, cohort, found)


def test_a_child_that_somebody_kills_once_costs_nobody(evaluator: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    say = ChildProcess.say
    kills: list[int] = []

    def say_and_kill(self: ChildProcess, message: Mapping[str, Any]) -> None:
        say(self, message)
        if "members" in message and not kills:
            kills.append(len(message["members"]))
            threading.Timer(KILLED_AFTER_SECONDS, os.kill, (self.pid, signal.SIGKILL)).start()

    monkeypatch.setattr(ChildProcess, "say", say_and_kill)
    cohort = [mlp(passes=PASSES), mlp(24, passes=PASSES)]
    found = _outcomes(evaluator, cohort)
    assert kills == [2]
    assert _kinds(found) == [None, None]
    _same_as_alone(evaluator, cohort, found)
