"""Finished trials that were read before: they never change, so each is read from the database once."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from evaluators import Trial


class FinishedTrials:
    """The first finished trials of one study, without gaps, by finish order. Threads may share it."""

    def __init__(self) -> None:
        self._trials: list[Trial] = []
        self._lock = threading.Lock()

    def all(self) -> list[Trial]:
        """Those that are known; the last one's finish order is their count."""
        with self._lock:
            return list(self._trials)

    def add(self, trials: Sequence[Trial]) -> None:
        """Remembers those of `trials`, in finish order, that follow the known ones."""
        with self._lock:
            for trial in trials:
                if trial.finish_order == len(self._trials) + 1:
                    self._trials.append(trial)
