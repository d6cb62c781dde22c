"""Reads the end of a training process as a failure: out of memory only where something proves it."""

from __future__ import annotations

import signal
from pathlib import Path

from evaluators._evaluation import Failure, FailureKind

_ALLOCATION_WORDS = (
    "bad_alloc",
    "cannot allocate memory",
    "can't allocate memory",
    "resource temporarily unavailable",
    "memoryerror",
    "failed to map segment",
)

_LIMIT_WORDS = ("can't start new thread", "thread creation failed", "could not create a primitive")
"""Where memory is limited these are want of memory: of a thread's stack, and of what oneDNN builds before a product.
Else it is rather a limit of processes that was reached, or a fault of the library."""


def failure_of_exit(returncode: int, said: str, *, is_oom_kill: bool, has_memory_limit: bool = False) -> Failure:
    """What a process that ended with `returncode`, `said` being its last line, died of.

    `is_oom_kill` tells whether the kernel counted an out-of-memory kill meanwhile, `has_memory_limit` whether the
    process had a limit of its own.
    """
    name = _signal_name(returncode)
    if name == "SIGKILL" and is_oom_kill:
        reason = "the kernel's out-of-memory killer ended the training process; lower the widths, rows or hash_cap"
        return Failure(FailureKind.OUT_OF_MEMORY, reason)
    words = (*_ALLOCATION_WORDS, *_LIMIT_WORDS) if has_memory_limit else _ALLOCATION_WORDS
    if any(word in said.lower() for word in words):
        return Failure(FailureKind.OUT_OF_MEMORY, f"the training process could not allocate memory: {said}")
    if name == "SIGKILL":
        reason = "the training process was killed (SIGKILL); often that is the kernel's out-of-memory killer"
        return Failure(FailureKind.CRASHED, reason)
    how = f"by signal {name}" if name else f"with exit code {returncode}"
    return Failure(FailureKind.CRASHED, f"the training process ended {how}: {said or 'it said nothing'}")


def out_of_memory_kills(root: Path = Path("/")) -> int:
    """Kills that the kernel has counted so far, in our control group if it has one, else on the machine.

    The count is 0 where the kernel does not tell.
    """
    for path in (*_group_counters(root), root / "proc/vmstat"):
        count = _counter(path)
        if count is not None:
            return count
    return 0


def _group_counters(root: Path) -> list[Path]:
    lines = _text(root / "proc/self/cgroup").splitlines()
    groups = [line.split("::", 1)[1].strip("/") for line in lines if "::" in line]
    return [root / "sys/fs/cgroup" / group / "memory.events" for group in groups]


def _counter(path: Path) -> int | None:
    for line in _text(path).splitlines():
        name, _, value = line.partition(" ")
        if name == "oom_kill" and value.strip().isdigit():
            return int(value)
    return None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""


def _signal_name(returncode: int) -> str:
    if returncode >= 0:
        return ""
    try:
        return signal.Signals(-returncode).name
    except ValueError:
        return f"number {-returncode}"
