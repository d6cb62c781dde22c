"""A store that lives and dies with its process: for tests, notebooks and dry runs."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from evaluators import Suggestion, Trial, TrialState
from storage._errors import StudyExists
from storage._rules import (
    MAX_LOSSES,
    Outcome,
    begun,
    finished,
    lost_too_often,
    next_ask,
    study_not_found,
    to_end,
    waiting,
)
from storage._store import LEASE_SECONDS, StudyRecord

__all__ = ["MemoryStore"]


@dataclass(frozen=True)
class _Lease:
    worker: str
    until: float


@dataclass
class _Study:
    record: StudyRecord
    trials: list[Trial] = field(default_factory=list)
    finished: list[int] = field(default_factory=list)  # numbers by finish order
    leases: dict[int, _Lease] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)

    def end(self, trials: Sequence[Trial]) -> None:
        """Remembers trials that are finished now, in finish order."""
        for trial in trials:
            self.trials[trial.number] = trial
            self.finished.append(trial.number)
            self.leases.pop(trial.number, None)

    def give_back(self, numbers: Sequence[int], *, losses: int) -> None:
        """Returns RUNNING trials to the queue."""
        for number in numbers:
            trial = waiting(self.trials[number])
            self.trials[number] = replace(trial, losses=trial.losses + losses)
            del self.leases[number]


class MemoryStore:
    """Keeps the promises of `TrialStore` within one process. `clock` gives seconds since the epoch."""

    def __init__(self, url: str = "memory://", *, clock: Callable[[], float] = time.time) -> None:
        self.url = url
        self._clock = clock
        self._lock = threading.RLock()
        self._studies: dict[str, _Study] = {}

    def create_study(self, record: StudyRecord) -> None:
        """Remembers a new study."""
        with self._lock:
            if record.name in self._studies:
                raise StudyExists(f"a study named {record.name!r} exists; resume it, or choose another name")
            self._studies[record.name] = _Study(copy.deepcopy(record))

    def study(self, name: str) -> StudyRecord:
        """The study's record."""
        with self._lock:
            return copy.deepcopy(self._of(name).record)

    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with self._lock:
            return [copy.deepcopy(study.record) for study in self._studies.values()]

    def update_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Replaces the study's configuration."""
        with self._lock:
            study = self._of(name)
            study.record = replace(study.record, config=copy.deepcopy(dict(config)))

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
        """Adds trials, numbered in order: WAITING, or RUNNING under the lease of `worker`."""
        with self._lock:
            of = self._of(study)
            next_ask(study, stage, ask_number, answered=_asks(of.trials, stage))
            now = self._clock()
            started_at = None if worker is None else now
            new = begun(suggestions, first=len(of.trials), stage=stage, ask_number=ask_number, started_at=started_at)
            of.trials.extend(new)
            if worker is not None:
                of.leases.update({trial.number: _Lease(worker, now + lease_seconds) for trial in new})
            return new

    def claim(self, study: str, *, worker: str, limit: int, lease_seconds: float) -> list[Trial]:
        """Turns up to `limit` WAITING trials, lowest numbers first, into RUNNING ones leased to `worker`."""
        with self._lock:
            of = self._of(study)
            now = self._clock()
            queue = [trial for trial in of.trials if trial.state is TrialState.WAITING][:limit]
            claimed = [replace(trial, state=TrialState.RUNNING, started_at=now) for trial in queue]
            for trial in claimed:
                of.trials[trial.number] = trial
                of.leases[trial.number] = _Lease(worker, now + lease_seconds)
            return claimed

    def heartbeat(self, study: str, *, worker: str, lease_seconds: float) -> None:
        """Prolongs the leases of the worker's RUNNING trials."""
        with self._lock:
            leases = self._of(study).leases
            until = self._clock() + lease_seconds
            leases.update({number: _Lease(worker, until) for number, one in leases.items() if one.worker == worker})

    def workers(self, study: str) -> list[str]:
        """Workers that hold RUNNING trials, each once, sorted."""
        with self._lock:
            return sorted({lease.worker for lease in self._of(study).leases.values()})

    def release(self, study: str, *, worker: str) -> int:
        """Returns the RUNNING trials of `worker` to WAITING; says how many."""
        with self._lock:
            of = self._of(study)
            held = [number for number, lease in of.leases.items() if lease.worker == worker]
            of.give_back(held, losses=0)
            return len(held)

    def requeue_lost(self, study: str, *, worker: str | None = None) -> int:
        """Returns RUNNING trials with an expired lease, or those of `worker`, to WAITING; says how many were lost."""
        with self._lock:
            of = self._of(study)
            now = self._clock()
            lost = sorted(
                number
                for number, lease in of.leases.items()
                if (lease.until < now if worker is None else lease.worker == worker)
            )
            hopeless = [number for number in lost if of.trials[number].losses + 1 >= MAX_LOSSES]
            of.give_back([number for number in lost if number not in hopeless], losses=1)
            first = len(of.finished) + 1
            of.end(
                [
                    lost_too_often(of.trials[number], finish_order=first + position, finished_at=now)
                    for position, number in enumerate(hopeless)
                ]
            )
            return len(lost)

    def finish(self, study: str, outcomes: Sequence[Outcome], *, worker: str | None = None) -> list[Trial]:
        """Ends trials by number, in the order given; returns those that it ended."""
        with self._lock:
            of = self._of(study)
            held = None if worker is None else {n for n, lease in of.leases.items() if lease.worker == worker}
            count = to_end(study, outcomes, {one.number: one.state for one in of.trials}, held=held)
            now = self._clock()
            first = len(of.finished) + 1
            ended = [
                finished(of.trials[number], outcome, finish_order=first + position, finished_at=now)
                for position, (number, outcome) in enumerate(count)
            ]
            of.end(ended)
            return ended

    def trials(self, study: str, *, finished_after: int | None = None) -> list[Trial]:
        """All trials by number; with `finished_after`, only finished ones of a larger finish order, by that order."""
        with self._lock:
            of = self._of(study)
            if finished_after is None:
                return list(of.trials)
            return [of.trials[number] for number in of.finished[max(finished_after, 0) :]]

    def unfinished(self, study: str) -> list[Trial]:
        """WAITING and RUNNING trials by number."""
        with self._lock:
            return [trial for trial in self._of(study).trials if not trial.state.is_finished]

    def asks(self, study: str) -> int:
        """How many asks of the search stage have been answered: the number of the next one."""
        with self._lock:
            return _asks(self._of(study).trials, "search")

    def cursor(self, study: str, reader: str) -> int:
        """Finish order up to which a reader has seen the trials; 0 for a new reader."""
        with self._lock:
            return self._of(study).cursors.get(reader, 0)

    def move_cursor(self, study: str, reader: str, finish_order: int) -> None:
        """Remembers how far a reader has seen."""
        with self._lock:
            self._of(study).cursors[reader] = finish_order

    def close(self) -> None:
        """Nothing to free: the studies stay until the store itself is dropped."""

    def _of(self, name: str) -> _Study:
        if name not in self._studies:
            raise study_not_found(name, list(self._studies), self.url)
        return self._studies[name]


def _asks(trials: Sequence[Trial], stage: str) -> int:
    return max((trial.ask_number + 1 for trial in trials if trial.stage == stage), default=0)
