"""Several workers in real processes with real training: killed at every level, resumed, counted."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from automl._yaml import to_yaml
from automl.validation import prepare
from evaluators import Trial
from tests.end_to_end.looking import trials_of
from tests.storage.postgres import new_database

TRIALS = 16
WORKERS = "2"
"""Each is a process with a training process; more of them would only wait for each other on a small machine."""


def _search(place: Path, storage: str) -> subprocess.Popen[bytes]:
    content = {
        "schema_version": 1,
        "study": {"name": "s", "seed": 1},
        "data": str(prepare("synthetic", out=place / "data", options={"rows": 3000}).folder),
        "searcher": {"name": "random_search"},
        "evaluator": {"name": "train", "threads": 1, "cohort_size": 1, "passes": 8},  # trials that are met at work
        "budget": {"trials": TRIALS},
        "storage": storage,
        "baselines": ["logistic_regression"],
    }
    (place / "study.yaml").write_text(to_yaml(content), encoding="utf-8")
    return _automl(place, "search", "study.yaml", "--workers", WORKERS)


def _automl(place: Path, *arguments: str) -> subprocess.Popen[bytes]:
    with (place / "log.txt").open("ab") as log:
        return subprocess.Popen([sys.executable, "-m", "automl", *arguments], cwd=place, stdout=log, stderr=log)


def _wait(condition: Callable[[], object]) -> None:
    ends_at = time.monotonic() + 240
    while not condition():
        assert time.monotonic() < ends_at, "nothing has come of it within four minutes"
        time.sleep(0.1)


def _wait_for(storage: str, count: int) -> None:
    _wait(lambda: sum(trial.state.is_finished for trial in trials_of(storage)) >= count)


def _workers(driver: subprocess.Popen[bytes]) -> list[psutil.Process]:
    return psutil.Process(driver.pid).children()


def _assert_whole(trials: list[Trial]) -> None:
    assert [trial.number for trial in trials] == list(range(TRIALS + 1))
    assert all(trial.state.is_finished for trial in trials)
    assert sorted(trial.finish_order or 0 for trial in trials) == list(range(1, TRIALS + 2))
    assert max(Counter(trial.suggestion.identity for trial in trials).values()) == 1


@pytest.mark.slow
def test_nothing_is_lost_or_doubled_by_kills_of_worker_and_driver(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'automl.db'}"
    driver = _search(tmp_path, storage)
    _wait_for(storage, 2)
    _workers(driver)[0].kill()
    _wait_for(storage, 6)
    family = psutil.Process(driver.pid).children(recursive=True)
    seen = [trial for trial in trials_of(storage) if trial.state.is_finished]
    driver.kill()
    driver.wait()
    _wait(lambda: not psutil.wait_procs(family, timeout=0.1)[1])
    assert _automl(tmp_path, "resume", "s", "--workers", WORKERS).wait(timeout=240) == 0
    trials = trials_of(storage)
    _assert_whole(trials)
    assert [trials[one.number] for one in seen] == seen


@pytest.mark.slow
def test_a_first_interrupt_drains_and_a_second_driver_is_refused(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'automl.db'}"
    driver = _search(tmp_path, storage)
    _wait_for(storage, 2)
    assert _automl(tmp_path, "resume", "s").wait(timeout=60) == 2
    assert "is being worked on by process" in (tmp_path / "log.txt").read_text(encoding="utf-8")
    driver.send_signal(signal.SIGINT)
    assert driver.wait(timeout=120) == 130
    assert all(trial.state.is_finished for trial in trials_of(storage))
    assert _automl(tmp_path, "resume", "s").wait(timeout=240) == 0
    _assert_whole(trials_of(storage))
    assert "several workers take part" in (tmp_path / "log.txt").read_text(encoding="utf-8")


@pytest.mark.slow
def test_workers_share_a_postgresql_server_and_one_may_join(tmp_path: Path) -> None:
    storage = new_database()
    driver = _search(tmp_path, storage)
    _wait_for(storage, 1)
    joined = _automl(tmp_path, "work", "s", "--storage", storage)
    _workers(driver)[0].kill()
    assert driver.wait(timeout=240) == 0
    assert joined.wait(timeout=60) == 0
    _assert_whole(trials_of(storage))
