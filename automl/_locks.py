"""Locks between processes of one machine, one file each; the system lets go of a dead process's locks at once."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from evaluators._datasets.home import home

POLL_SECONDS = 0.002


class StudyLock:
    """A lock of a study, for one purpose.

    Where its folder cannot be written, or its file system knows no locks, nothing is locked, and all goes on.
    """

    def __init__(self, uid: str, purpose: str) -> None:
        self._path = home() / "locks" / f"{uid}.{purpose}"
        self._descriptor = -1

    def acquire(self, holder: str, *, seconds: float = 0.0) -> bool:
        """Takes the lock within `seconds` and leaves the holder's name in it; False where another one has it."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        except OSError:
            return True
        if not _locked(descriptor, time.monotonic() + seconds):
            os.close(descriptor)
            return False
        self._descriptor = descriptor
        with suppress(OSError):  # the name is for people; a full disk takes it from them, but no search
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, holder.encode(), 0)
        return True

    def release(self) -> None:
        """Lets go; may be called twice."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)

    def holder(self) -> str:
        """Who took it last; empty where nobody says."""
        with suppress(OSError):
            return self._path.read_text(encoding="utf-8")
        return ""

    @contextmanager
    def turn(self, holder: str, *, seconds: float) -> Iterator[None]:
        """Holds the lock, or goes on without it after `seconds`: for what is only wasteful when two do it at once."""
        self.acquire(holder, seconds=seconds)
        try:
            yield
        finally:
            self.release()


def _locked(descriptor: int, ends_at: float) -> bool:
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except (BlockingIOError, PermissionError):  # the second from network file systems
            if time.monotonic() >= ends_at:
                return False
            time.sleep(POLL_SECONDS)
        except OSError:
            return True
