"""Who works on a study: names a process so that a dead one is recognised on the same machine.

A name is `machine/pid/start/counter`, followed by what the process does where it is not the driver of a study:
`asked` (holds a trial for a person), `joined` (one more worker), `for DRIVER` (a worker that the driver started).
"""

from __future__ import annotations

import logging
import os
import platform
import re
import threading
import time
from collections.abc import Callable
from functools import cache
from itertools import count
from pathlib import Path
from types import TracebackType

import psutil

from storage import LEASE_SECONDS, StorageError, TrialStore

ASK_LEASE_SECONDS = 7 * 24 * 3600.0
"""Of a trial that a person asked for and evaluates on their own: no heartbeat prolongs it."""

CLOCK_SECONDS = 5.0
"""How far two readings of one process's start may lie apart where they follow the wall clock."""

ASKED, JOINED = "asked", "joined"

_NAMES = count()
_NAME = re.compile(r"(?P<machine>[^/]*)/(?P<pid>\d+)/(?P<started>[\w.-]+)/\d+(?: (?:asked|joined|for (?P<driver>.+)))?")
_MACHINES_OWN = 0xEFFFFFFC  # PROC_PID_INIT_INO of Linux, the same on every machine
_START_FIELD = 19
"""Of /proc/PID/stat, counted from the state on, which follows the name in parentheses."""

LOG = logging.getLogger("automl")


def worker_name(role: str = "") -> str:
    """Machine, process, its start, a counter and a role: never given twice."""
    pid = os.getpid()
    name = f"{platform.node()}/{pid}/{_start(pid) or 'unknown'}/{next(_NAMES)}"
    return f"{name} {role}" if role else name


def for_driver(driver: str) -> str:
    """The role of a worker that a driver started."""
    return f"for {driver}"


def is_asker(worker: str) -> bool:
    """Whether the name holds trials for a person or a program of theirs, so that no search waits for it."""
    return worker.endswith(f" {ASKED}")


def keeps_driver_out(worker: str, driver: str) -> bool:
    """Whether the worker shows that another driver than this one is at work on the study."""
    if worker == driver or is_asker(worker) or worker.endswith(f" {JOINED}"):
        return False
    match = _NAME.fullmatch(worker)
    other = match["driver"] if match else None
    return other is None or not (other == driver or is_dead(other))


def is_dead(worker: str) -> bool:
    """Whether the worker was a process of this machine that is gone; another machine's is never judged.

    Nor is that of another container, or of another boot, which may be another machine of the same name: their leases
    end within a minute.
    """
    match = _NAME.fullmatch(worker)
    if match is None or match["machine"] != platform.node() or _is_out_of_sight(match["started"]):
        return False
    pid, started = int(match["pid"]), match["started"]
    now = _start_by_clock(pid) if _is_clock(started) else _start(pid)
    if now is None:
        return not psutil.pid_exists(pid)
    if _is_clock(started):
        return abs(float(now) - float(started)) > CLOCK_SECONDS or _is_zombie(pid)
    return now != started or _is_zombie(pid)


def requeue_dead(store: TrialStore, study: str) -> int:
    """Returns the trials of this machine's dead workers to the queue; only reads where there are none."""
    return sum(store.requeue_lost(study, worker=worker) for worker in store.workers(study) if is_dead(worker))


def requeue_all_lost(store: TrialStore, study: str) -> int:
    """Returns trials of dead workers, and those whose lease is over, to the queue; says how many."""
    return requeue_dead(store, study) + store.requeue_lost(study)


def _start(pid: int) -> str | None:
    """When the process started, without the wall clock where the system has that; None for no such process."""
    boot = _boot()
    if boot is None:
        return _start_by_clock(pid)
    fields = _stat(pid)
    return f"{boot}-{fields[_START_FIELD]}{_container()}" if fields else None


def _is_out_of_sight(started: str) -> bool:
    """Whether the process is of another boot, or counts its numbers in another namespace than we do."""
    boot, dash, rest = started.partition("-")
    if not dash or _boot() is None:
        return False
    return boot != _boot() or rest.partition(".")[2] != _container().removeprefix(".")


def _start_by_clock(pid: int) -> str | None:
    try:
        return f"{psutil.Process(pid).create_time():.2f}"
    except psutil.Error:
        return None


def _is_clock(started: str) -> bool:
    return re.fullmatch(r"\d+\.\d+", started) is not None


def _is_zombie(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
    except psutil.Error:
        return False


@cache
def _boot() -> str | None:
    """Names this run of the machine; None where the system does not tell."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip().replace("-", "")[:12]
    except OSError:
        return None


@cache
def _container() -> str:
    """A dot and the number of the namespace of our process numbers; empty where that is the machine's own."""
    try:
        number = os.stat("/proc/self/ns/pid").st_ino
    except OSError:
        return ""
    return "" if number == _MACHINES_OWN else f".{number}"


def _stat(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


class Heartbeat:
    """Prolongs a worker's leases from a thread of its own while trials run, and looks for lost trials of others.

    `is_hung` is asked at each beat: once it says yes the lease is left to end and `give_up` is called.

    >>> Heartbeat  # with Heartbeat(store, "study", "worker"): evaluate(...)
    <class 'automl._worker.Heartbeat'>
    """

    def __init__(
        self,
        store: TrialStore,
        study: str,
        worker: str,
        *,
        is_hung: Callable[[], bool] = lambda: False,
        give_up: Callable[[], None] = lambda: None,
    ) -> None:
        self._store = store
        self._study = study
        self._worker = worker
        self._is_hung = is_hung
        self._give_up = give_up
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
            if self._is_hung():
                self._give_up()
                return
            try:
                self._store.heartbeat(self._study, worker=self._worker, lease_seconds=LEASE_SECONDS)
                requeue_all_lost(self._store, self._study)
            except StorageError as error:
                LOG.warning("a heartbeat failed and is tried again: %s", error)


class Sweep:
    """Looks for lost trials while a worker waits: for dead workers often, for ended leases now and then."""

    def __init__(
        self, store: TrialStore, study: str, *, every_seconds: float = 1.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._study = study
        self._every_seconds = every_seconds
        self._clock = clock
        self._looked_at = self._swept_at = clock()

    def look(self) -> int:
        """Returns lost trials to the queue where it is time to look; says how many."""
        now = self._clock()
        if now - self._looked_at < self._every_seconds:
            return 0
        self._looked_at = now
        if now - self._swept_at < 5 * self._every_seconds:
            return requeue_dead(self._store, self._study)
        self._swept_at = now
        return requeue_all_lost(self._store, self._study)
