"""A sync to a real MLflow server."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage import StudyReading, Summary, Winner
from storage.stores.memory import MemoryStore
from storage.trackers.mlflow_run import MlflowRun, trial_uids
from tests.storage.samples import OBJECTIVES, STUDY, begin, evaluation, record

pytestmark = pytest.mark.slow

PATIENCE_SECONDS = 180.0


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server with an empty database."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    places = [
        "--backend-store-uri",
        f"sqlite:///{tmp_path}/server.db",
        "--artifacts-destination",
        str(tmp_path / "files"),
    ]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
    with (tmp_path / "server.log").open("wb") as log:
        process = subprocess.Popen([*command, *places], env={**os.environ, **settings}, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    ends_at = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < ends_at and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
    pytest.fail(f"MLflow's server did not answer at {address}")


def test_a_server_is_filled_by_several_threads_once_and_in_silence(
    server: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    store = MemoryStore()
    store.create_study(record())
    begin(store, 20)
    trials = store.finish(STUDY, [(number, evaluation(0.9 - number / 100)) for number in range(20)])
    (tmp_path / "winner.yaml").write_text("winner")
    winner = Winner(trials[-1], OBJECTIVES[0], (tmp_path / "winner.yaml",), {"ne": "0.71"})
    ranks = {trial.number: {"pareto.rank": str(20 - trial.number)} for trial in trials}
    done = [
        MlflowRun(server).sync(
            record(),
            trials,
            readings=[StudyReading("best/ne", 0.9 - n / 100, n + 1, 1000.0 + n) for n in range(20)],
            tags=ranks,
            summary=Summary("FINISHED", 1020.0, (tmp_path / "winner.yaml",), winner),
        )
        for _ in range(2)
    ]
    assert [(one.created, one.unchanged) for one in done] == [(20, 0), (0, 20)]
    assert sorted(trial_uids(server, STUDY)) == sorted(f"uid-{STUDY}/{number}" for number in range(20))
    assert capfd.readouterr().out == ""
