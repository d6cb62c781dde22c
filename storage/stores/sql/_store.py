"""The store in a database. Every write is one transaction that first locks its study, so no two interleave."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, bindparam, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from evaluators import Evaluation, Failure, Suggestion, Trial, TrialState
from storage._errors import StudyExists
from storage._rules import finished, next_ask, unfinished
from storage._store import StudyRecord
from storage.stores.sql import _migrations
from storage.stores.sql._connect import connect, reading, writing
from storage.stores.sql._finished import FinishedTrials
from storage.stores.sql._models import STUDIES, TRIALS
from storage.stores.sql._queries import (
    RUNNING,
    WAITING,
    count_asks,
    find_study,
    find_trials,
    following,
    read_cursor,
    running,
    write_cursor,
)
from storage.stores.sql._rows import RECORD_COLUMNS, outcome_columns, record_row, to_json, to_record, trial_row


class SqlStore:
    """Keeps the promises of `TrialStore` over threads, processes and crashes.

    `clock` gives seconds since the epoch; leases are judged by it.

    Raises:
        StoreUnreadable: the database cannot be opened, or has the schema of another release.
    """

    def __init__(self, url: str, *, clock: Callable[[], float] = time.time) -> None:
        self.url = url
        self._clock = clock
        self._finished: defaultdict[int, FinishedTrials] = defaultdict(FinishedTrials)
        self._engine = connect(url)
        _migrations.make_ready(self._engine)

    @staticmethod
    def upgrade(url: str) -> None:
        """Brings an older database to the schema of this release.

        Raises:
            StoreUnreadable: the database cannot be opened, or is newer than this release.
        """
        engine = connect(url)
        try:
            _migrations.upgrade(engine)
        finally:
            engine.dispose()

    def create_study(self, record: StudyRecord) -> None:
        """Remembers a new study."""
        try:
            with writing(self._engine) as connection:
                connection.execute(insert(STUDIES), record_row(record))
        except IntegrityError as error:
            raise StudyExists(f"a study named {record.name!r} exists; resume it, or choose another name") from error

    def study(self, name: str) -> StudyRecord:
        """The study's record."""
        with self._read(name) as (connection, study_id):
            return to_record(connection.execute(select(*RECORD_COLUMNS).where(STUDIES.c.id == study_id)).one())

    def studies(self) -> list[StudyRecord]:
        """All studies, oldest first."""
        with reading(self._engine) as connection:
            return [to_record(row) for row in connection.execute(select(*RECORD_COLUMNS).order_by(STUDIES.c.id))]

    def update_config(self, name: str, config: Mapping[str, Any]) -> None:
        """Replaces the study's configuration."""
        with self._write(name) as (connection, study_id):
            connection.execute(update(STUDIES).where(STUDIES.c.id == study_id).values(config=to_json(config)))

    def begin(self, study: str, suggestions: Sequence[Suggestion], *, ask_number: int, stage: str) -> list[Trial]:
        """Adds WAITING trials, numbered in order."""
        with self._write(study) as (connection, study_id):
            next_ask(study, stage, ask_number, answered=count_asks(connection, study_id, stage))
            first = following(connection, TRIALS.c.number, TRIALS.c.study_id == study_id, first=0)
            begun = [
                Trial(first + position, stage, suggestion, TrialState.WAITING, ask_number=ask_number)
                for position, suggestion in enumerate(suggestions)
            ]
            if begun:
                connection.execute(insert(TRIALS), [trial_row(trial, study_id) for trial in begun])
            return begun

    def claim(self, study: str, *, worker: str, limit: int, lease_seconds: float) -> list[Trial]:
        """Turns up to `limit` WAITING trials, lowest numbers first, into RUNNING ones leased to `worker`."""
        with self._write(study) as (connection, study_id):
            of_study = TRIALS.c.study_id == study_id
            now = self._clock()
            claimed = [
                replace(trial, state=TrialState.RUNNING, started_at=now)
                for trial in find_trials(connection, of_study, TRIALS.c.state == WAITING, limit=limit)
            ]
            connection.execute(
                update(TRIALS)
                .where(of_study, TRIALS.c.number.in_([trial.number for trial in claimed]))
                .values(state=RUNNING, worker=worker, lease_until=now + lease_seconds, started_at=now)
            )
            return claimed

    def heartbeat(self, study: str, *, worker: str, lease_seconds: float) -> None:
        """Prolongs the leases of the worker's RUNNING trials."""
        with self._write(study) as (connection, study_id):
            mine = running(study_id, TRIALS.c.worker == worker)
            connection.execute(update(TRIALS).where(*mine).values(lease_until=self._clock() + lease_seconds))

    def workers(self, study: str) -> list[str]:
        """Workers that hold RUNNING trials, each once, sorted."""
        with self._read(study) as (connection, study_id):
            query = select(TRIALS.c.worker).where(*running(study_id)).distinct()
            return sorted(connection.execute(query).scalars())

    def requeue_lost(self, study: str, *, worker: str | None = None) -> int:
        """Returns RUNNING trials with an expired lease, or those of `worker`, to WAITING; says how many."""
        lost = TRIALS.c.lease_until < self._clock() if worker is None else TRIALS.c.worker == worker
        again = {"state": WAITING, "worker": None, "lease_until": None, "started_at": None}
        with self._write(study) as (connection, study_id):
            return connection.execute(update(TRIALS).where(*running(study_id, lost)).values(again)).rowcount

    def finish(self, study: str, outcomes: Sequence[tuple[int, Evaluation | Failure]]) -> list[Trial]:
        """Ends trials by number, in the order given; returns them finished."""
        numbers = [number for number, _ in outcomes]
        with self._write(study) as (connection, study_id):
            of_study = TRIALS.c.study_id == study_id
            known = {one.number: one for one in find_trials(connection, of_study, TRIALS.c.number.in_(numbers))}
            unfinished(study, numbers, {number: trial.state for number, trial in known.items()})
            first = following(connection, TRIALS.c.finish_order, of_study, first=1)
            now = self._clock()
            ended = [
                finished(known[number], outcome, finish_order=first + position, finished_at=now)
                for position, (number, outcome) in enumerate(outcomes)
            ]
            statement = update(TRIALS).where(of_study, TRIALS.c.number == bindparam("of_number"))
            if ended:
                connection.execute(statement, [{"of_number": one.number, **outcome_columns(one)} for one in ended])
            return ended

    def trials(self, study: str, *, finished_after: int | None = None) -> list[Trial]:
        """All trials by number; with `finished_after`, only finished ones of a larger finish order, by that order."""
        order = TRIALS.c.finish_order
        with self._read(study) as (connection, study_id):
            of_study, finished_trials = TRIALS.c.study_id == study_id, self._finished[study_id]
            known = finished_trials.all()
            if finished_after is None:
                fresh = find_trials(connection, of_study, or_(order.is_(None), order > len(known)))
                finished_trials.add(sorted((one for one in fresh if one.finish_order), key=_finish_order))
                return sorted(known + fresh, key=_number)
            fresh = find_trials(connection, of_study, order > max(finished_after, len(known)), order=order)
            finished_trials.add(fresh)
            return known[max(finished_after, 0) :] + fresh

    def unfinished(self, study: str) -> list[Trial]:
        """WAITING and RUNNING trials by number."""
        with self._read(study) as (connection, study_id):
            of_study = TRIALS.c.study_id == study_id
            # one query a state: asked for both in order, SQLite walks through all trials instead of the index
            open_ones = (find_trials(connection, of_study, TRIALS.c.state == state) for state in (WAITING, RUNNING))
            return sorted(chain.from_iterable(open_ones), key=attrgetter("number"))

    def asks(self, study: str) -> int:
        """How many asks of the search stage have been answered: the number of the next one."""
        with self._read(study) as (connection, study_id):
            return count_asks(connection, study_id, "search")

    def cursor(self, study: str, reader: str) -> int:
        """Finish order up to which a reader has seen the trials; 0 for a new reader."""
        with self._read(study) as (connection, study_id):
            return read_cursor(connection, study_id, reader) or 0

    def move_cursor(self, study: str, reader: str, finish_order: int) -> None:
        """Remembers how far a reader has seen."""
        with self._write(study) as (connection, study_id):
            write_cursor(connection, study_id, reader, finish_order)

    def close(self) -> None:
        """Frees connections; may be called twice."""
        self._engine.dispose()

    @contextmanager
    def _read(self, study: str) -> Iterator[tuple[Connection, int]]:
        with reading(self._engine) as connection:
            yield connection, find_study(connection, study, url=self.url, lock=False)

    @contextmanager
    def _write(self, study: str) -> Iterator[tuple[Connection, int]]:
        with writing(self._engine) as connection:
            yield connection, find_study(connection, study, url=self.url, lock=True)


def _number(trial: Trial) -> int:
    return trial.number


def _finish_order(trial: Trial) -> int:
    return trial.finish_order or 0
