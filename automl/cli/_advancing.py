"""How far a method is, as a person reads it."""

from __future__ import annotations

import time
from collections.abc import Callable

from automl._checkpoint import Advance

EVERY_SECONDS = 5.0
"""Between two lines where there is no live one."""


class AdvanceLine:
    """Says how far the phase of a method is, and how long it will take by its pace since this process began it."""

    def __init__(self, name: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._name = name
        self._clock = clock
        self._phase, self._first, self._since = "", 0, 0.0
        self._told_at = float("-inf")

    def of(self, advance: Advance) -> str:
        """The line."""
        now = self._clock()
        if advance.phase != self._phase:
            self._phase, self._first, self._since = advance.phase, advance.done, now
        done = advance.done - self._first
        left = (now - self._since) / done * (advance.total - advance.done) if done else None
        words = [f"{self._name}: {advance.phase} {advance.done}/{advance.total}"]
        words += [advance.words] if advance.words else []
        words += [] if left is None else [f"{left:.0f} s left"]
        return ", ".join(words)

    def is_due(self, advance: Advance) -> bool:
        """Whether to print a line now; asked after each."""
        now = self._clock()
        is_due = now - self._told_at >= EVERY_SECONDS or advance.done == advance.total
        if is_due:
            self._told_at = now
        return is_due
