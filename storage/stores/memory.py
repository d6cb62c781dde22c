"""A store that lives and dies with its process: for tests, notebooks and dry runs."""

from __future__ import annotations

import copy
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from evaluators import Evaluation, Failure, Suggestion, Trial, TrialState
from storage._errors import StudyExists
from storage._rules import finished, next_ask, study_not_found, unfinished
from storage._store import StudyRecord

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

    def begin(self, study: str, suggestions: Sequence[Suggestion], *, ask_number: int, stage: str) -> list[Trial]:
        """Adds WAITING trials, numbered in order."""
        with self._lock:
            known = self._of(study).trials
            next_ask(study, stage, ask_number, answered=_asks(known, stage))
            begun = [
                Trial(len(known) + position, stage, suggestion, TrialState.WAITING, ask_number=ask_number)
                for position, suggestion in enumerate(suggestions)
            ]
            known.extend(begun)
            return begun

    def claim(self, study: str, *, worker: str, limit: int, lease_seconds: float) -> list[Trial]:
        """Turns up to `limit` WAITING trials, lowest numbers first, into RUNNING ones leased to `worker`."""
        with self._lock:
            of = self._of(study)
            now = self._clock()
            waiting = [trial for trial in of.trials if trial.state is TrialState.WAITING][:limit]
            claimed = [replace(trial, state=TrialState.RUNNING, started_at=now) for trial in waiting]
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

    def requeue_lost(self, study: str, *, worker: str | None = None) -> int:
        """Returns RUNNING trials with an expired lease, or those of `worker`, to WAITING; says how many."""
        with self._lock:
            of = self._of(study)
            now = self._clock()
            lost = [
                number
                for number, lease in of.leases.items()
                if (lease.until < now if worker is None else lease.worker == worker)
            ]
            for number in lost:
                of.trials[number] = replace(of.trials[number], state=TrialState.WAITING, started_at=None)
                del of.leases[number]
            return len(lost)

    def finish(self, study: str, outcomes: Sequence[tuple[int, Evaluation | Failure]]) -> list[Trial]:
        """Ends trials by number, in the order given; returns them finished."""
        with self._lock:
            of = self._of(study)
            unfinished(study, [number for number, _ in outcomes], {one.number: one.state for one in of.trials})
            now = self._clock()
            last = len(of.finished)
            ended = [
                finished(of.trials[number], outcome, finish_order=last + position, finished_at=now)
                for position, (number, outcome) in enumerate(outcomes, start=1)
            ]
            for trial in ended:
                of.trials[trial.number] = trial
                of.finished.append(trial.number)
                of.leases.pop(trial.number, None)
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
