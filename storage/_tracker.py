"""The interface of a tracker: a mirror of the store for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from evaluators import Objective, Trial
from storage._store import StudyRecord

Tags = Mapping[int, Mapping[str, str]]
"""Names and values that belong to trials, by number."""


@dataclass(frozen=True)
class StudyReading:
    """A number of a whole study after `step` of its trials had ended, the last of them at `time` (epoch seconds)."""

    name: str
    value: float
    step: int
    time: float


@dataclass(frozen=True)
class Winner:
    """The trial that a study puts forward, with its files and facts; among studies the best by `objective` is first."""

    trial: Trial
    objective: Objective
    files: tuple[Path, ...] = ()
    facts: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Summary:
    """How a study stands: FINISHED, FAILED or KILLED, when its last trial ended, what tells of it, its winner."""

    status: str
    ended_at: float
    files: tuple[Path, ...] = ()
    winner: Winner | None = None


@dataclass(frozen=True)
class Synced:
    """What completing a tracker came to, in trials, each counted once; then entries that were removed or left alone.

    `created` had no entry, `restored` one that somebody had deleted, `completed` one that lacked something,
    `corrected` one with another tag, state or time, `replaced` one that said another thing than the store.
    `doubles` were removed: second entries of a trial or of the study. `strangers` belong to no trial of the store.
    `entry` is the name that `open` gives the study's entry.
    """

    created: int = 0
    restored: int = 0
    completed: int = 0
    corrected: int = 0
    replaced: int = 0
    unchanged: int = 0
    doubles: int = 0
    strangers: int = 0
    entry: str = ""

    @classmethod
    def of(cls, outcomes: Iterable[str], *, doubles: int, strangers: int, entry: str) -> Synced:
        """Counts what became of each trial, by the names above."""
        return cls(**Counter(outcomes), doubles=doubles, strangers=strangers, entry=entry)

    @property
    def is_changed(self) -> bool:
        """Whether anything had to be done to an entry."""
        return any((self.created, self.restored, self.completed, self.corrected, self.replaced, self.doubles))


class Course(Protocol):
    """What the trials of a study say together, told of each of them once, in the order in which they ended."""

    def tell(self, trials: Sequence[Trial]) -> list[StudyReading]:
        """Adds trials; the study's numbers that are others now."""
        ...

    def changed_tags(self, *, is_complete: bool) -> dict[int, dict[str, str]]:
        """Tags that have changed since they were last given: all, or only those that must not wait."""
        ...


class Tracker(Protocol):
    """Shows finished trials somewhere else.

    Promises: logging a trial twice leaves one entry, and so does a reading; every method may raise, and the search
    goes on. One thread calls it.
    """

    @property
    def name(self) -> str:
        """Kind and place, for instance `jsonl:/runs/trials.jsonl`, for messages; holds no password."""
        ...

    def open(self, record: StudyRecord) -> str:
        """Finds or creates the study's entry; its name, without password, under which it is known how full it is.

        An entry that was lost and created again has another name, so it is filled from the start.
        """
        ...

    def log(self, trials: Sequence[Trial], tags: Tags) -> None:
        """Shows finished trials with their tags, each one once; they come in the order in which they ended."""
        ...

    def update(self, readings: Sequence[StudyReading], tags: Tags) -> None:
        """Adds numbers of the study, and sets tags of trials that are shown."""
        ...

    def summarize(self, summary: Summary) -> None:
        """Ends the study's entry, attaches its files and puts its winner forward."""
        ...

    def sync(
        self,
        record: StudyRecord,
        trials: Sequence[Trial],
        *,
        readings: Sequence[StudyReading],
        tags: Tags,
        summary: Summary,
    ) -> Synced:
        """Makes the study's entry show all of this and each trial once; a second call changes nothing.

        Takes the place of `open`, whatever the entry showed, and also where there is none. `trials` are all that have
        ended, in that order; `readings` and `tags` are all that there are. An entry that has ended keeps its status
        where nothing was missing and the summary does not say FINISHED.
        """
        ...

    def close(self) -> None:
        """Frees connections; may be called twice."""
        ...
