"""The living processes of a search, and what is done to them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import psutil

DRIVER, WORKER, CHILD = "driver", "worker", "training child"
SURVIVAL_SECONDS = 20.0
"""How long a process may outlive its driver: a worker asks for its parent once a second and ends its child."""


def living(driver_pid: int) -> dict[str, list[psutil.Process]]:
    """The processes of a search by kind; empty where its driver is gone."""
    found: dict[str, list[psutil.Process]] = {DRIVER: [], WORKER: [], CHILD: []}
    with suppress(psutil.NoSuchProcess):
        driver = psutil.Process(driver_pid)
        found[DRIVER].append(driver)
        for one in driver.children(recursive=True):
            kind = _kind(one)
            if kind:
                found[kind].append(one)
    return found


def _kind(process: psutil.Process) -> str | None:
    try:
        words = process.cmdline()
    except (psutil.NoSuchProcess, psutil.AccessDenied):
        return None
    if "evaluators._training.child" in words:
        return CHILD
    return WORKER if "work" in words and "automl" in words else None


@dataclass
class Survivors:
    """Processes whose driver was killed; those that live long after it are counted once."""

    clock: Callable[[], float] = time.monotonic
    count: int = 0
    _watched: list[tuple[psutil.Process, float]] = field(default_factory=list)

    def watch(self, processes: Mapping[str, list[psutil.Process]]) -> None:
        """The driver of these was just killed."""
        due = self.clock() + SURVIVAL_SECONDS
        self._watched += [(one, due) for kind in (WORKER, CHILD) for one in processes[kind]]

    def look(self) -> None:
        """Counts whom the time is over for.

        One that is paused cannot end itself, and the training child of a paused worker does not know: both are given
        their time again.
        """
        now, rest = self.clock(), []
        for one, due in self._watched:
            if not _lives(one):
                continue
            if is_paused(one) or _waits_for_a_paused_one(one):
                rest.append((one, now + SURVIVAL_SECONDS))
            elif now < due:
                rest.append((one, due))
            else:
                self.count += 1
        self._watched = rest


@dataclass
class Pauses:
    """Processes that were stopped for a while."""

    clock: Callable[[], float] = time.monotonic
    _paused: list[tuple[psutil.Process, float]] = field(default_factory=list)

    def pause(self, process: psutil.Process, seconds: float) -> None:
        """Stops it; `wake` lets it go on when `seconds` are over."""
        with suppress(psutil.NoSuchProcess):
            process.suspend()
            self._paused.append((process, self.clock() + seconds))

    def wake(self, *, everyone: bool = False) -> int:
        """Lets those go on whose time has come; says how many."""
        due = [(one, when) for one, when in self._paused if everyone or when <= self.clock()]
        self._paused = [pair for pair in self._paused if pair not in due]
        for one, _ in due:
            with suppress(psutil.NoSuchProcess):
                one.resume()
        return len(due)

    def has_any(self) -> bool:
        """Whether somebody is paused."""
        return bool(self._paused)


def is_paused(process: psutil.Process) -> bool:
    """Whether it stands still on a signal."""
    try:
        return bool(process.status() == psutil.STATUS_STOPPED)
    except psutil.NoSuchProcess:
        return False


def _waits_for_a_paused_one(process: psutil.Process) -> bool:
    try:
        parent = process.parent()
    except psutil.NoSuchProcess:
        return False
    return parent is not None and is_paused(parent)


def _lives(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
