"""The interface of a tracker: a mirror of the store for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from evaluators import Objective, Trial
from storage._store import StudyRecord


class Tracker(Protocol):
    """Shows finished trials somewhere else.

    Promises: logging a trial twice leaves one entry; every method may raise, and the search goes on.
    One thread calls it.
    """

    @property
    def name(self) -> str:
        """Kind and place, for instance `jsonl:/runs/trials.jsonl`, for messages; holds no password."""
        ...

    def open(self, record: StudyRecord, objectives: Sequence[Objective]) -> str:
        """Finds or creates the study's entry; its name, without password, under which it is known how full it is.

        An entry that was lost and created again has another name, so it is filled from the start.
        """
        ...

    def log(self, trials: Sequence[Trial]) -> None:
        """Shows finished trials, each one once; they come in the order in which they ended."""
        ...

    def summarize(self, *, status: str, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        """Sets the study's own metrics, attaches files, and ends it as FINISHED, FAILED or KILLED."""
        ...

    def close(self) -> None:
        """Frees connections; may be called twice."""
        ...
