"""The evaluator `train` with its real child process: what a trial's death does, and does not do."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, ProtocolError, Suggestion, training_seed
from evaluators._datasets import Dataset
from evaluators._training.child_process import ChildProcess
from evaluators.train import Train
from tests.evaluators.small_data import mlp, suggest, write_small_data

ENDLESS = suggest(mlp(passes=1_000_000))
GOOD = suggest(mlp())


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return write_small_data(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture(scope="module")
def shared(dataset: Dataset) -> Iterator[Train]:
    evaluator = Train(dataset.folder, 1, threads=1, timeout_seconds=60.0)
    yield evaluator
    evaluator.close()


def _one(evaluator: Train, suggestion: Suggestion) -> Evaluation | Failure:
    ((position, outcome),) = evaluator.evaluate([suggestion])
    assert position == 0
    return outcome


def _kind(outcome: Evaluation | Failure) -> FailureKind | None:
    return outcome.kind if isinstance(outcome, Failure) else None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"device": "gpu"}, "'device' must be 'auto', 'cpu', 'cuda' or 'cuda:N', but is 'gpu'"),
        ({"rows": -5}, "'rows' must be a whole number of at least 1, but is -5"),
        ({"threads": 0}, "'threads' must be at least 1, or null for no limit, but is 0"),
        ({"memory_limit_mb": 0}, "'memory_limit_mb' must be at least 1, or null for no limit, but is 0"),
        ({"cohort_size": 0}, "'cohort_size' must be at least 1, but is 0"),
        ({"timeout_seconds": 0.0}, "'timeout_seconds' must be a positive number, but is 0.0"),
        ({"learning_rate": -1.0}, "'learning_rate' must be more than zero, but is -1.0"),
    ],
)
def test_an_option_that_breaks_its_rule_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(EvaluatorError, match=message):
        Train(Path("data"), 1, **options)


def test_no_child_starts_before_the_first_trial_and_closing_nothing_is_fine() -> None:
    evaluator = Train(Path("data"), 1)
    assert evaluator.child_pid is None
    evaluator.close()
    evaluator.close()


@pytest.mark.slow
def test_the_driver_does_not_import_torch() -> None:
    check = "import sys, evaluators.train; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)


@pytest.mark.slow
def test_the_child_is_kept_over_trials_and_has_a_session_of_its_own(shared: Train) -> None:
    _one(shared, GOOD)
    pid = shared.child_pid
    assert pid is not None
    _one(shared, GOOD)
    assert shared.child_pid == pid
    assert os.getsid(pid) == pid != os.getsid(0)


@pytest.mark.slow
def test_the_seed_is_that_of_the_study_and_the_replicate(shared: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    seeds: list[int] = []
    real = ChildProcess.say

    def listen(self: ChildProcess, message: dict[str, Any]) -> None:
        seeds.extend(one["seed"] for one in message.get("members", []))
        real(self, message)

    monkeypatch.setattr(ChildProcess, "say", listen)
    zero, one = _one(shared, GOOD), _one(shared, suggest(mlp(), replicate=1))
    assert seeds == [training_seed(1, 0), training_seed(1, 1)]
    assert isinstance(zero, Evaluation)
    assert isinstance(one, Evaluation)
    assert zero.value("ne") != one.value("ne")


@pytest.mark.slow
def test_a_child_killed_in_the_middle_fails_its_trial_and_the_next_one_works(shared: Train) -> None:
    before = _one(shared, GOOD)
    pid = shared.child_pid
    assert pid is not None
    threading.Timer(0.3, os.kill, (pid, signal.SIGKILL)).start()
    killed = _one(shared, ENDLESS)
    assert isinstance(killed, Failure)
    assert killed.kind is FailureKind.CRASHED
    assert "SIGKILL" in killed.reason
    assert killed.seconds >= 0.2
    after = _one(shared, GOOD)
    assert isinstance(before, Evaluation)
    assert isinstance(after, Evaluation)
    assert after.value("ne") == before.value("ne")


@pytest.mark.slow
def test_a_child_that_died_between_trials_costs_no_trial(shared: Train) -> None:
    _one(shared, GOOD)
    pid = shared.child_pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(pid)], timeout=5.0)
    assert isinstance(_one(shared, GOOD), Evaluation)


@pytest.mark.slow
def test_a_huge_learning_rate_diverges(shared: Train) -> None:
    outcome = _one(shared, suggest(mlp(learning_rate=1e30)))
    assert _kind(outcome) is FailureKind.DIVERGED


@pytest.mark.slow
def test_a_trial_beyond_its_time_limit_is_ended(dataset: Dataset) -> None:
    evaluator = Train(dataset.folder, 1, threads=1, timeout_seconds=1.0)
    outcome = _one(evaluator, ENDLESS)
    assert isinstance(outcome, Failure)
    assert outcome.kind is FailureKind.TIMEOUT
    assert outcome.reason == "a trial may take 1 seconds, but was not done; raise timeout_seconds"
    assert evaluator.child_pid is None


@pytest.mark.slow
def test_a_trial_beyond_the_memory_limit_is_out_of_memory_and_the_next_one_works(dataset: Dataset) -> None:
    evaluator = Train(dataset.folder, 1, threads=1, memory_limit_mb=1500)
    too_wide = suggest(mlp(width=1_000_000))  # 512 hidden rows of it take 2 GB
    first, second = (outcome for _, outcome in evaluator.evaluate([too_wide, GOOD]))
    evaluator.close()
    assert _kind(first) is FailureKind.OUT_OF_MEMORY
    assert isinstance(second, Evaluation)


@pytest.mark.slow
def test_data_that_is_not_there_is_an_error_and_no_failed_trial(tmp_path: Path) -> None:
    evaluator = Train(tmp_path / "nowhere", 1, threads=1)
    with pytest.raises(EvaluatorError, match="nowhere"):
        _one(evaluator, GOOD)
    assert evaluator.child_pid is None


@pytest.mark.slow
def test_an_interrupt_ends_the_child_so_that_no_late_answer_is_taken(
    shared: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    _one(shared, GOOD)

    def interrupt(*arguments: object, **named: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(ChildProcess, "hear", interrupt)
        with pytest.raises(KeyboardInterrupt):
            _one(shared, GOOD)
    assert shared.child_pid is None
    assert isinstance(_one(shared, GOOD), Evaluation)


def test_an_answer_to_another_question_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    class Confused:
        pid = 1
        is_alive = True

        def ask(self, message: dict[str, Any], *, seconds: float) -> dict[str, Any]:
            return {"ready": {}}

        def say(self, message: dict[str, Any]) -> None:
            pass

        def hear(self, *, seconds: float) -> dict[str, Any]:
            return {"id": 17}

        def end(self, *, patience: float = 0.0) -> None:
            self.is_alive = False

    monkeypatch.setattr("evaluators.train.ChildProcess", Confused)
    with pytest.raises(ProtocolError, match=r"must answer question 1, but said \{'id': 17\}"):
        _one(Train(Path("data"), 1), GOOD)


DRIVER = """
import sys
from pathlib import Path
from evaluators.train import Train
from tests.evaluators.small_data import mlp, suggest
evaluator = Train(Path(sys.argv[1]), 1, threads=1)
list(evaluator.evaluate([suggest(mlp())]))
print(evaluator.child_pid, flush=True)
list(evaluator.evaluate([suggest(mlp(passes=1_000_000))]))
"""


@pytest.mark.slow
def test_no_orphan_stays_when_the_driver_is_killed(dataset: Dataset) -> None:
    root = Path(__file__).parents[2]
    command = [sys.executable, "-c", DRIVER, str(dataset.folder)]
    with subprocess.Popen(command, cwd=root, stdout=subprocess.PIPE, text=True) as driver:
        assert driver.stdout is not None
        child = int(driver.stdout.readline())
        time.sleep(0.3)  # into the long trial
        assert psutil.pid_exists(child)
        driver.kill()
    deadline = time.monotonic() + 10.0
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
