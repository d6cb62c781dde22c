"""The store in a database. Every write is one transaction that first locks its study, so no two interleave.

Each read is one statement, and so sees one state of the database on every kind of it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import IntegrityError

from evaluators import Suggestion, Trial, TrialState
from storage._errors import StudyExists
from storage._rules import Outcome, begun, finished, lost_too_often, next_ask, to_end
from storage._store import LEASE_SECONDS, StudyRecord
from storage.stores.sql import _migrations
from storage.stores.sql import _statements as statements
from storage.stores.sql._connect import connect
from storage.stores.sql._finished import FinishedTrials
from storage.stores.sql._queries import OpenStudy, find_study
from storage.stores.sql._rows import record_row, to_json, to_record, trial_row
from storage.stores.sql._sqlite import check_file
from storage.stores.sql._transactions import patient, patient_in_restart, reading, writing


class SqlStore:
    """Keeps the promises of `TrialStore` over threads, processes, crashes and restarts of the server.

    `clock` gives seconds since the epoch; leases are judged by it. Without one it is the server's own, so that
    machines need not agree on the time, and for a file the machine's.

    Raises:
        StoreUnreadable: the database cannot be opened, or has the schema of another release.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] | None = None) -> None:
        self.url = url
        self._clock = clock
        self._finished: defaultdict[int, FinishedTrials] = defaultdict(FinishedTrials)
        self._study_ids: dict[str, int] = {}  # a study keeps its key for ever
        self._engine = connect(url)
        try:
            patient_in_restart(_migrations.make_ready)(self._engine)
        except BaseException:
            self.close()
            raise

    @staticmethod
    def check_there(url: str) -> None:
        """Returns silently where the database holds a store, of whatever schema; makes nothing.

        Raises:
            StoreUnreadable: there is no such file, or nothing in the database.
        """
        engine = connect(url)
        try:
            check_file(engine.url)
            patient_in_restart(_migrations.check_made)(engine)
        finally:
            engine.dispose()

    @staticmethod
    def upgrade(url: str) -> Path | None:
        """Brings an older database to the schema of this release; where it is a file, the copy made of it before.

        Raises:
            StoreUnreadable: the database cannot be opened, is newer than this release, or is being worked on.
        """
        engine = connect(url)
        check_file(engine.url)
        try:
            return _migrations.upgrade(engine, now=time.time())
        finally:
            engine.dispose()

    @patient
    def create_study(self, record: StudyRecord) -> None:
        """Remembers a new study."""
        try:
            with writing(self._engine) as connection:
                connection.execute(statements.ADD_STUDY, record_row(record))
        except IntegrityError as error:
            raise StudyExists(f"a study named {record.name!r} exists; resume it, or choose another name") from error

    @patient
    def study(self, name: str) -> StudyRecord:
        """The study's record."""
        with self._read(name) as study:
            return to_record(study.connection.execute(statements.RECORD, {"of_study": study.study_id}).one())

    @patient
    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with reading(self._engine) as connection:
            return [to_record(row) for row in connection.execute(statements.RECORDS)]

    @patient
    def update_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Replaces the study's configuration."""
        with self._write(name) as study:
            study.run(statements.SET_CONFIG, new_config=to_json(config))

    @patient
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
        with self._write(study) as of:
            next_ask(study, stage, ask_number, answered=of.asks(stage))
            started_at = None if worker is None else self._now(of)
            until = None if started_at is None else started_at + lease_seconds
            first = of.next_number()
            new = begun(suggestions, first=first, stage=stage, ask_number=ask_number, started_at=started_at)
            if new:
                rows = [trial_row(trial, of.study_id, worker=worker, lease_until=until) for trial in new]
                of.connection.execute(statements.ADD_TRIALS, rows)
            return new

    @patient
    def claim(self, study: str, *, worker: str, limit: int, lease_seconds: float) -> list[Trial]:
        """Turns up to `limit` WAITING trials, lowest numbers first, into RUNNING ones leased to `worker`."""
        with self._write(study) as of:
            queue = of.trials(statements.WAITING_TRIALS, at_most=limit)
            if not queue:
                return []
            now = self._now(of)
            numbers = [trial.number for trial in queue]
            of.run(statements.CLAIM, numbers=numbers, holder=worker, now=now, until=now + lease_seconds)
            return [replace(trial, state=TrialState.RUNNING, started_at=now) for trial in queue]

    @patient
    def heartbeat(self, study: str, *, worker: str, lease_seconds: float) -> None:
        """Prolongs the leases of the worker's RUNNING trials."""
        with self._write(study) as of:
            of.run(statements.PROLONG, holder=worker, until=self._now(of) + lease_seconds)

    @patient
    def workers(self, study: str) -> list[str]:
        """Workers that hold RUNNING trials, each once, sorted."""
        with self._read(study) as of:
            return sorted(of.column(statements.HOLDERS))

    @patient
    def release(self, study: str, *, worker: str) -> int:
        """Returns the RUNNING trials of `worker` to WAITING; says how many."""
        with self._write(study) as of:
            return of.run(statements.RELEASE_HELD, holder=worker)

    @patient
    def requeue_lost(self, study: str, *, worker: str | None = None) -> int:
        """Returns RUNNING trials with an expired lease, or those of `worker`, to WAITING; says how many were lost."""
        with self._read(study) as of:
            whose = {"now": self._now(of)} if worker is None else {"holder": worker}
            if not of.column(statements.EXPIRED_NUMBERS if worker is None else statements.HELD_NUMBERS, **whose):
                return 0  # nearly always, and looking disturbs nobody
        with self._write(study) as of:
            hopeless = of.trials(statements.HOPELESS_EXPIRED if worker is None else statements.HOPELESS_HELD, **whose)
            first, now = of.next_finish(), self._now(of)
            ended = [
                lost_too_often(trial, finish_order=first + position, finished_at=now)
                for position, trial in enumerate(hopeless)
            ]
            of.end(ended)
            again = statements.REQUEUE_EXPIRED if worker is None else statements.REQUEUE_HELD
            return len(ended) + of.run(again, **whose)

    @patient
    def finish(self, study: str, outcomes: Sequence[Outcome], *, worker: str | None = None) -> list[Trial]:
        """Ends trials by number, in the order given; returns those that it ended."""
        with self._write(study) as of:
            found = of.trials(statements.NAMED_TRIALS, numbers=[number for number, _ in outcomes])
            known = {trial.number: trial for trial in found}
            held = None if worker is None else set(of.column(statements.HELD_NUMBERS, holder=worker))
            counted = to_end(study, outcomes, {number: trial.state for number, trial in known.items()}, held=held)
            first, now = of.next_finish(), self._now(of)
            ended = [
                finished(known[number], outcome, finish_order=first + position, finished_at=now)
                for position, (number, outcome) in enumerate(counted)
            ]
            of.end(ended)
            return ended

    @patient
    def trials(self, study: str, *, finished_after: int | None = None) -> list[Trial]:
        """All trials by number; with `finished_after`, only finished ones of a larger finish order, by that order."""
        with self._read(study) as of:
            finished_trials = self._finished[of.study_id]
            known = finished_trials.all()
            if finished_after is None:
                fresh = of.trials(statements.OPEN_OR_AFTER, after=len(known))
                finished_trials.add(sorted((one for one in fresh if one.finish_order), key=_finish_order))
                return sorted(known + fresh, key=_number)
            fresh = of.trials(statements.FINISHED_AFTER, after=max(finished_after, len(known)))
            finished_trials.add(fresh)
            return known[max(finished_after, 0) :] + fresh

    @patient
    def unfinished(self, study: str) -> list[Trial]:
        """WAITING and RUNNING trials by number."""
        with self._read(study) as of:
            return sorted(of.trials(statements.OPEN_TRIALS), key=_number)

    @patient
    def asks(self, study: str) -> int:
        """How many asks of the search stage have been answered: the number of the next one."""
        with self._read(study) as of:
            return of.asks("search")

    @patient
    def cursor(self, study: str, reader: str) -> int:
        """Finish order up to which a reader has seen the trials; 0 for a new reader."""
        with self._read(study) as of:
            return of.cursor(reader) or 0

    @patient
    def move_cursor(self, study: str, reader: str, finish_order: int) -> None:
        """Remembers how far a reader has seen."""
        with self._write(study) as of:
            of.move_cursor(reader, finish_order)

    def close(self) -> None:
        """Frees connections; may be called twice."""
        self._engine.dispose()

    def _now(self, study: OpenStudy) -> float:
        if self._clock is not None:
            return self._clock()
        if self._engine.dialect.name == "sqlite":
            return time.time()
        return float(study.connection.execute(statements.SERVER_TIME).scalar_one())

    def _of(self, connection: Connection, name: str) -> OpenStudy:
        if name not in self._study_ids:
            self._study_ids[name] = find_study(connection, name, url=self.url)
        return OpenStudy(connection, self._study_ids[name])

    @contextmanager
    def _read(self, study: str) -> Iterator[OpenStudy]:
        with reading(self._engine) as connection:
            yield self._of(connection, study)

    @contextmanager
    def _write(self, study: str) -> Iterator[OpenStudy]:
        with writing(self._engine) as connection:
            of = self._of(connection, study)
            if self._engine.dialect.name != "sqlite":  # a file lets in one writer anyway
                connection.execute(statements.LOCK_STUDY, {"of_study": of.study_id})
            yield of


def _number(trial: Trial) -> int:
    return trial.number


def _finish_order(trial: Trial) -> int:
    return trial.finish_order or 0
