from __future__ import annotations

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from automl import StudyError
from automl.local_workers import (
    LocalLauncher,
    LocalWorker,
    check_can_be_shared,
    end_with_parent,
    is_orphan,
    join_study,
    trial_seconds,
)
from storage import StudyNotFound
from tests.automl.cli_runs import run_cli
from tests.automl.planted_study import planted_study

PATIENT = """
import signal, sys, time
stops = []
signal.signal(signal.SIGTERM, lambda *_: stops.append(1) or (len(stops) == 2 and sys.exit(3)))
print("ready", flush=True)
while True: time.sleep(0.01)
"""


def _ended(worker: LocalWorker) -> int:
    ends_at = time.monotonic() + 60
    while (code := worker.poll()) is None:
        assert time.monotonic() < ends_at
        time.sleep(0.01)
    return code


def _started(code: str) -> LocalWorker:
    worker = LocalWorker((sys.executable, "-c", code), dict(os.environ))
    while worker.poll() is None and not worker.last_words():
        time.sleep(0.01)
    return worker


def test_a_store_in_one_process_cannot_be_shared() -> None:
    check_can_be_shared("memory://", 1)
    with pytest.raises(StudyError, match=r"4 workers need a store that they can share, but memory:// lives in one"):
        check_can_be_shared("memory://", 4)


def test_a_worker_tells_its_code_and_its_last_words() -> None:
    worker = LocalWorker((sys.executable, "-c", "print('one'); print('two'); print(); raise SystemExit(7)"), {})
    assert (_ended(worker), worker.last_words()) == (7, "two")
    worker.stop()
    worker.kill()


def test_asking_for_the_last_words_disturbs_no_writing() -> None:
    lines = [f"{number:06}" for number in range(20_000)]
    code = f"import sys\nfor number in range({len(lines)}): sys.stdout.write(f'{{number:06}}\\n'); sys.stdout.flush()"
    worker = LocalWorker((sys.executable, "-c", code), {})
    while worker._child.poll() is None:
        worker.last_words()
    written = os.pread(worker._output.fileno(), 1 << 20, 0).decode().split()
    assert _ended(worker) == 0
    assert written == lines


def test_a_worker_is_asked_twice_or_killed() -> None:
    asked, killed = _started(PATIENT), _started(PATIENT)
    asked.stop()
    time.sleep(0.1)
    assert asked.poll() is None
    asked.stop()
    killed.kill()
    assert (_ended(asked), _ended(killed)) == (3, -signal.SIGKILL)


def test_the_address_of_the_store_goes_by_the_environment_alone() -> None:
    launcher = LocalLauncher("s", storage="sqlite:///secret.db", driver="d", workers=2)
    assert "secret" not in " ".join(launcher._command)
    assert launcher._environment["AUTOML_STORAGE"] == "sqlite:///secret.db"
    assert launcher._environment["AUTOML_WORKERS"] == "2"


def test_a_joined_study_never_mirrors(tmp_path: Path) -> None:
    study = planted_study(tmp_path, tracker={"name": "jsonl", "path": str(tmp_path / "trials.jsonl")})
    joined = join_study(study.name, storage=study.config.storage)
    assert joined.wiring.tracker is None
    assert joined.worker.endswith(" joined")
    with pytest.raises(StudyNotFound):
        join_study("other", storage=study.config.storage)
    for one in (study, joined):
        one.close()


def test_a_worker_of_a_driver_bears_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    study = planted_study(tmp_path)
    monkeypatch.setenv("AUTOML_DRIVER", study.worker)
    joined = join_study(study.name, storage=study.config.storage)
    assert joined.worker.endswith(f" for {study.worker}")
    for one in (study, joined):
        one.close()


def test_a_trial_may_take_twice_what_its_evaluator_allows(tmp_path: Path) -> None:
    train, limited = {"name": "train"}, {"name": "train", "timeout_seconds": 10, "cohort_size": 3}
    specs = [{"name": "planted"}, train, limited]
    studies = [planted_study(tmp_path, str(number), evaluator=spec) for number, spec in enumerate(specs)]
    assert [trial_seconds(study) for study in studies] == [None, 2 * 3600 * 4 + 3600, 2 * 10 * 3 + 3600]
    for study in studies:
        study.close()


def test_a_process_whose_driver_is_gone_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not is_orphan()
    monkeypatch.setenv("AUTOML_PARENT", str(os.getppid()))
    assert not is_orphan()
    monkeypatch.setenv("AUTOML_PARENT", "999999999")
    monkeypatch.setattr("automl.local_workers.ctypes.CDLL", lambda _: _Prctl())
    ended = threading.Event()
    end_with_parent(ended.set)
    assert ended.wait(30)


class _Prctl:
    """Stands in for the C library: the test process must not get the signal."""

    def prctl(self, *_arguments: int) -> int:
        return 0


def test_work_takes_part_until_the_budget_is_spent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = planted_study(tmp_path, budget={"trials": 3})
    done = run_cli(capsys, "work", "s", "--storage", study.config.storage)
    assert done.code == 0, done.err
    assert done.err.count("COMPLETE") == 3
    assert [trial.state.value for trial in study.trials] == ["COMPLETE"] * 3
    study.close()


def test_several_workers_in_memory_are_refused_before_anything_begins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "study.yaml").write_text("schema_version: 1\nstudy: {name: s}\ndata: synthetic\n", encoding="utf-8")
    done = run_cli(capsys, "search", str(tmp_path / "study.yaml"), "--workers", "2", "--storage", "memory://")
    assert done.code == 2
    assert "2 workers need a store that they can share" in done.err
