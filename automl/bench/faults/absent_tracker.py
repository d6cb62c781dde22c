"""An MLflow server that is away for a whole search, goes away in the middle, and loses its database."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from automl.bench.faults.finding import Finding
from automl.bench.faults.plan import Plan
from automl.bench.faults.search import NAME, Search, wait_until
from automl.bench.faults.witness import Witness, mirrored

WORKERS = 4
TRIALS = 60
"""Of each part of the search."""
START_SECONDS = 120.0
EVALUATOR = {"name": "planted", "seconds": 0.2}


def absent_tracker(plan: Plan) -> Finding:
    """MLflow is down for a whole search, crashes in the middle of its second half, and loses its database."""
    folder = plan.place("f")
    server = MlflowServer(folder, _port(folder))
    server.end_leftover()
    sections = {"evaluator": EVALUATOR, "budget": {"trials": TRIALS}, "tracker": {"name": "mlflow", "uri": server.url}}
    search = Search(folder, sections, workers=WORKERS)
    try:
        wrong = _down_for_a_search(search, server) + _down_in_the_middle(search, server)
        server.stop()
        server.forget()
        server.start()
        wrong += _synced(search, server, "after the loss of its database")
        trials = search.trials()
        fault = (
            "MLflow down for a whole search, killed in the middle of its second half, its database deleted at the end"
        )
        injected = {"absence": 1, "kill of the server": 1, "database deleted": 1}
        finding = Finding("f", fault, injected=injected, wrong=tuple(wrong))
        return mirrored(Witness(folder / "seen.jsonl").audited(finding, trials), server.url, NAME)
    finally:
        server.stop()


def _down_for_a_search(search: Search, server: MlflowServer) -> list[str]:
    """Searches while nothing listens, then starts the server and completes it, twice."""
    wrong = []
    server.stop()
    if not search.exists():
        search.begin()
    ended = search.ended(search.go_on(trials=TRIALS))
    if ended.code:
        wrong.append(f"a search without its tracker must succeed, but ended with code {ended.code}: {ended.said}")
    server.start()
    return wrong + _synced(search, server, "after a search without it") + _synced(search, server, "a second time")


def _down_in_the_middle(search: Search, server: MlflowServer) -> list[str]:
    """Kills the server while trials are mirrored, starts it again, and completes it."""
    driver = search.go_on(trials=2 * TRIALS)
    wait_until(lambda: search.finished() >= TRIALS + TRIALS // 3 or driver.poll() is not None, seconds=START_SECONDS)
    server.stop(crash=True)
    wait_until(
        lambda: search.finished() >= TRIALS + 2 * TRIALS // 3 or driver.poll() is not None, seconds=START_SECONDS
    )
    server.start()
    ended = search.ended(driver)
    wrong = [f"a search whose tracker crashed ended with code {ended.code}: {ended.said}"] if ended.code else []
    return wrong + _synced(search, server, "after its crash")


def _synced(search: Search, server: MlflowServer, when: str) -> list[str]:
    """`automl track sync` must succeed and leave one run a trial."""
    from storage.trackers.mlflow_run import trial_uids

    done = search.asked("track", "sync", NAME, "--storage", search.url)
    if done.returncode:
        return [f"`automl track sync` {when} ended with code {done.returncode}: {done.stderr.strip()[-300:]}"]
    uids = Counter(trial_uids(server.url, study=NAME))
    ended = search.finished()
    if len(uids) == ended and sum(uids.values()) == ended:
        return []
    return [f"`automl track sync` {when} left {sum(uids.values())} runs of {len(uids)} trials, where {ended} had ended"]


@dataclass
class MlflowServer:
    """A real server on the loopback; its database and artifacts lie in `folder`."""

    folder: Path
    port: int
    _running: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Starts it and waits until it listens."""
        words = ["server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        words += ["--backend-store-uri", f"sqlite:///{self.folder / 'server.db'}"]
        words += ["--artifacts-destination", str(self.folder / "server-artifacts")]
        with (self.folder / "server.log").open("ab") as log:
            self._running = subprocess.Popen(
                [sys.executable, "-m", "mlflow", *words],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "MLFLOW_DISABLE_TELEMETRY": "true"},
                start_new_session=True,
            )
        self._pid_file.write_text(str(self._running.pid), encoding="ascii")
        wait_until(self._listens, seconds=START_SECONDS)

    def stop(self, *, crash: bool = False) -> None:
        """Ends it with all its processes; may be called twice."""
        running, self._running = self._running, None
        if running is None:
            return
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL if crash else signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            running.wait(10)
        with suppress(ProcessLookupError):
            os.killpg(running.pid, signal.SIGKILL)
        running.wait()

    def forget(self) -> None:
        """Deletes its database."""
        for path in self.folder.glob("server.db*"):
            path.unlink()

    @property
    def _pid_file(self) -> Path:
        return self.folder / "server.pid"

    def end_leftover(self) -> None:
        """A benchmark that was killed has left its server behind."""
        with suppress(OSError, ValueError, psutil.Error):
            pid = int(self._pid_file.read_text(encoding="ascii"))
            if str(self.port) in psutil.Process(pid).cmdline():
                os.killpg(pid, signal.SIGKILL)

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def _port(folder: Path) -> int:
    """A free one, kept for the study's whole life."""
    file = folder / "port"
    if not file.exists():
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            file.write_text(str(probe.getsockname()[1]), encoding="ascii")
    return int(file.read_text(encoding="ascii"))
