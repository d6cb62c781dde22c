"""Reads the end of a trainer as a failure: by its exit code, its signal, its last words, the kernel's counter."""

from __future__ import annotations

import signal
from collections.abc import Mapping
from types import MappingProxyType

from evaluators._errors import EvaluatorError
from evaluators._evaluation import FailureKind

EXIT_CODES = MappingProxyType(
    {
        81: FailureKind.DIVERGED,
        82: FailureKind.OUT_OF_MEMORY,
        83: FailureKind.TIMEOUT,
        84: FailureKind.CRASHED,
        85: FailureKind.INVALID,
        124: FailureKind.TIMEOUT,  # what timeout(1) answers
    }
)
"""What a trainer may say by its exit code; free in sysexits.h and in shells. Any other one but 0 is a crash."""

_KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)  # the second from a shell that tells of its child
_ALLOCATION_WORDS = ("memoryerror", "out of memory", "outofmemory", "bad_alloc", "cannot allocate memory")


def check_exit_codes(codes: Mapping[int, FailureKind]) -> None:
    """Returns silently where each code is one that a failing program can end with.

    Raises:
        EvaluatorError: one is not between 1 and 255.
    """
    for code in codes:
        if not 1 <= code <= 255:
            raise EvaluatorError(f"'exit_codes' maps codes from 1 to 255, since 0 is success, but has {code}")


def kind_of_exit(returncode: int, said: str, *, codes: Mapping[int, FailureKind], is_oom_kill: bool) -> FailureKind:
    """What a trainer that did not end with 0 died of; `said` are its last words."""
    if returncode in codes:
        return codes[returncode]
    if returncode in _KILLED and is_oom_kill:
        return FailureKind.OUT_OF_MEMORY
    if returncode > 0 and any(word in said.lower() for word in _ALLOCATION_WORDS):
        return FailureKind.OUT_OF_MEMORY
    return FailureKind.CRASHED


def described_exit(returncode: int, *, is_oom_kill: bool) -> str:
    """How it ended, in words.

    >>> described_exit(-11, is_oom_kill=False), described_exit(3, is_oom_kill=False)
    ('by signal SIGSEGV', 'with exit code 3')
    """
    killer = ", by the kernel's out-of-memory killer as it seems" if is_oom_kill and returncode in _KILLED else ""
    if returncode >= 0:
        return f"with exit code {returncode}{killer}"
    try:
        return f"by signal {signal.Signals(-returncode).name}{killer}"
    except ValueError:
        return f"by signal number {-returncode}"
