"""The questions that the store asks of an open transaction."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Connection, func, insert, select, update

from evaluators import Trial, TrialState
from storage._rules import study_not_found
from storage.stores.sql._models import CURSORS, STUDIES, TRIALS
from storage.stores.sql._rows import TRIAL_COLUMNS, collector_paused, to_trial

WAITING, RUNNING = TrialState.WAITING.value, TrialState.RUNNING.value
Condition = ColumnElement[bool]


def find_study(connection: Connection, name: str, *, url: str, lock: bool) -> int:
    """The study's key; with `lock`, other writers of this study wait (SQLite has let in only one anyway).

    Raises:
        StudyNotFound: no study of that name.
    """
    query = select(STUDIES.c.id).where(STUDIES.c.name == name)
    found: int | None = connection.execute(query.with_for_update() if lock else query).scalar()
    if found is None:
        known = connection.execute(select(STUDIES.c.name).order_by(STUDIES.c.id)).scalars().all()
        raise study_not_found(name, known, url)
    return found


def find_trials(
    connection: Connection, *where: Condition, order: ColumnElement[Any] = TRIALS.c.number, limit: int | None = None
) -> list[Trial]:
    """The trials under all conditions."""
    with collector_paused():
        rows = connection.execute(select(*TRIAL_COLUMNS).where(*where).order_by(order).limit(limit))
        return [to_trial(row) for row in rows]


def running(study_id: int, *where: Condition) -> list[Condition]:
    """The conditions of a study's RUNNING trials."""
    return [TRIALS.c.study_id == study_id, TRIALS.c.state == RUNNING, *where]


def following(connection: Connection, counter: ColumnElement[Any], *where: Condition, first: int) -> int:
    """The number after the largest one of a column of TRIALS; `first` where there is none."""
    last: int | None = connection.execute(select(func.max(counter)).where(*where)).scalar()
    return first if last is None else last + 1


def count_asks(connection: Connection, study_id: int, stage: str) -> int:
    """How many asks of a stage have been answered: the number of the next one."""
    of_stage = (TRIALS.c.study_id == study_id, TRIALS.c.stage == stage)
    return following(connection, TRIALS.c.ask_number, *of_stage, first=0)


def read_cursor(connection: Connection, study_id: int, reader: str) -> int | None:
    """Where the reader stands; None for a new one."""
    query = select(CURSORS.c.finish_order).where(CURSORS.c.study_id == study_id, CURSORS.c.reader == reader)
    found: int | None = connection.execute(query).scalar()
    return found


def write_cursor(connection: Connection, study_id: int, reader: str, finish_order: int) -> None:
    """Where the reader stands from now on."""
    if read_cursor(connection, study_id, reader) is None:
        row = {"study_id": study_id, "reader": reader, "finish_order": finish_order}
        connection.execute(insert(CURSORS).values(row))
        return
    where = (CURSORS.c.study_id == study_id, CURSORS.c.reader == reader)
    connection.execute(update(CURSORS).where(*where).values(finish_order=finish_order))
