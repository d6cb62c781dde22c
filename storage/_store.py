"""The interface of a trial store: the truth about every study."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from evaluators import Evaluation, Failure, Suggestion, Trial

LEASE_SECONDS = 60.0
"""How long a worker holds a trial without a sign of life, where nobody says otherwise."""


@dataclass(frozen=True)
class StudyRecord:
    """What is remembered of a study beside its trials.

    `uid` is unique over all stores; `config` is the resolved configuration as JSON types, secrets masked;
    `problem` names data and objectives, for grouping studies that may be compared.
    """

    uid: str
    name: str
    seed: int
    problem: str
    config: Mapping[str, Any]
    created_at: float
    facts: Mapping[str, Any] = field(default_factory=dict)


class TrialStore(Protocol):
    """Remembers studies and trials.

    Promises: a study's trials are numbered 0, 1, 2, ... without gaps; a finished trial never changes; a
    cohort commits as one transaction; a call that raises has changed nothing (a server that went away for good in the
    middle of a commit is the exception, and said so); safe to call from several threads and processes; a call
    outlives a restart of its server. After `StoreUnavailable` the same call can be tried again. Studies are
    addressed by name and every method that takes one raises `StudyNotFound` for an unknown name.
    """

    def create_study(self, record: StudyRecord) -> None:
        """Remembers a new study.

        Raises:
            StudyExists: the name is taken.
        """
        ...

    def study(self, name: str) -> StudyRecord:
        """The study's record."""
        ...

    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        ...

    def update_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Replaces the study's configuration (a resume may enlarge the budget)."""
        ...

    def begin(
        self,
        study: str,
        suggestions: Sequence[Suggestion],
        *,
        ask_number: int,
        stage: str,
        worker: str | None = None,
        lease_seconds: float = LEASE_SECONDS,
    ) -> list[Trial]:
        """Adds WAITING trials, numbered in order, in one transaction, as the answer to the stage's next ask.

        With `worker` they are born RUNNING under its lease, so that nobody else can claim them.
        Asks of each stage are numbered 0, 1, 2, ... and answered once: of all that answer one ask, the first wins.
        An ask without suggestions leaves no trace, so its number is the next one still.

        Raises:
            AskTakenError: `ask_number` is not the number of answered asks of that stage.
        """
        ...

    def claim(self, study: str, *, worker: str, limit: int, lease_seconds: float) -> list[Trial]:
        """Turns up to `limit` WAITING trials, lowest numbers first, into RUNNING ones leased to `worker`."""
        ...

    def heartbeat(self, study: str, *, worker: str, lease_seconds: float) -> None:
        """Prolongs the leases of the worker's RUNNING trials."""
        ...

    def release(self, study: str, *, worker: str) -> int:
        """Returns the RUNNING trials of `worker`, which gives them back of its own will, to WAITING; says how many."""
        ...

    def requeue_lost(self, study: str, *, worker: str | None = None) -> int:
        """Returns RUNNING trials with an expired lease, or those of `worker`, to WAITING; says how many were lost.

        Each counts one loss more. The one that makes `MAX_LOSSES` ends as a failure instead (CRASHED), in the order
        of numbers, so that a trial that kills its worker does not go round for ever.
        """
        ...

    def finish(
        self, study: str, outcomes: Sequence[tuple[int, Evaluation | Failure]], *, worker: str | None = None
    ) -> list[Trial]:
        """Ends trials by number in one transaction, in the order given; returns those that it ended.

        With `worker`, trials that are not RUNNING under it are left out: its lease was lost, and whoever holds them
        now ends them.

        Raises:
            FinishedTrialError: one of them had ended before (without `worker`), or is named twice.
        """
        ...

    def trials(self, study: str, *, finished_after: int | None = None) -> list[Trial]:
        """All trials by number; with `finished_after`, only finished ones of a larger finish order, by that order."""
        ...

    def unfinished(self, study: str) -> list[Trial]:
        """WAITING and RUNNING trials by number."""
        ...

    def workers(self, study: str) -> list[str]:
        """Workers that hold RUNNING trials, each once."""
        ...

    def asks(self, study: str) -> int:
        """How many asks of the search stage have been answered: the number of the next one."""
        ...

    def cursor(self, study: str, reader: str) -> int:
        """Finish order up to which a reader has seen the trials; 0 for a new reader."""
        ...

    def move_cursor(self, study: str, reader: str, finish_order: int) -> None:
        """Remembers how far a reader has seen."""
        ...

    def close(self) -> None:
        """Frees connections; may be called twice."""
        ...
