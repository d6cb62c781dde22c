"""Who works on a study: names a process so that a dead one is recognised on the same machine."""

from __future__ import annotations

import logging
import os
import platform
import re
import threading
from itertools import count
from types import TracebackType

import psutil

from storage import StorageError, TrialStore

LEASE_SECONDS = 60.0
ASK_LEASE_SECONDS = 7 * 24 * 3600.0
"""Of a trial that a person asked for and evaluates on their own: no heartbeat prolongs it."""

CLOCK_SECONDS = 5.0
"""How far two readings of one process's start may lie apart: they follow the wall clock."""

_NAMES = count()
_NAME = re.compile(r"(?P<machine>.*)/(?P<pid>\d+)/(?P<started>\d+\.\d+)/\d+")
LOG = logging.getLogger("automl")


def worker_name() -> str:
    """Machine, process, its start time and a counter: never given twice."""
    process = psutil.Process(os.getpid())
    return f"{platform.node()}/{process.pid}/{process.create_time():.2f}/{next(_NAMES)}"


def is_dead(worker: str) -> bool:
    """Whether the worker was a process of this machine that is gone; another machine's is never judged."""
    match = _NAME.fullmatch(worker)
    if match is None or match["machine"] != platform.node():
        return False
    try:
        process = psutil.Process(int(match["pid"]))
        is_other = abs(process.create_time() - float(match["started"])) > CLOCK_SECONDS
        return is_other or process.status() == psutil.STATUS_ZOMBIE
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
            try:
                self._store.heartbeat(self._study, worker=self._worker, lease_seconds=LEASE_SECONDS)
            except StorageError as error:
                LOG.warning("a heartbeat failed and is tried again: %s", error)
