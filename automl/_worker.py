"""Who works on a study: names a process so that a dead one is recognised on the same machine."""

from __future__ import annotations

import os
import platform
import threading
from types import TracebackType

import psutil

from storage import TrialStore

LEASE_SECONDS = 60.0


def worker_name() -> str:
    """Machine, process and its start time: never given twice."""
    process = psutil.Process(os.getpid())
    return f"{platform.node()}/{process.pid}/{process.create_time():.2f}"


def is_dead(worker: str) -> bool:
    """Whether the worker was a process of this machine that is gone; another machine's is never judged."""
    machine, _, rest = worker.partition("/")
    pid, _, started = rest.partition("/")
    if machine != platform.node() or not pid.isdigit():
        return False
    try:
        return f"{psutil.Process(int(pid)).create_time():.2f}" != started
    except psutil.NoSuchProcess:
        return True


class Heartbeat:
    """Prolongs a worker's leases from a thread of its own while trials run.

    >>> Heartbeat  # with Heartbeat(store, "study", "worker"): evaluate(...)
    <class 'automl._worker.Heartbeat'>
    """

    def __init__(self, store: TrialStore, study: str, worker: str) -> None:
        self._store = store
        self._study = study
        self._worker = worker
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    def _beat(self) -> None:
        while not self._ended.wait(LEASE_SECONDS / 4):
            self._store.heartbeat(self._study, worker=self._worker, lease_seconds=LEASE_SECONDS)
