"""Reads a store row by row without changing it, so that a damaged one can be looked at.

The store's own reader trusts what it wrote. Here every column is taken as it stands.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

VERSION_TABLE = "ctr_automl_version"
TABLES = ("studies", "trials", "cursors")

Query = Callable[[str], Sequence[Sequence[Any]]]


@dataclass(frozen=True)
class StudyRow:
    """A study as it stands in its table."""

    id: int
    name: str
    config: str


@dataclass(frozen=True)
class TrialRow:
    """A trial as it stands in its table; `evaluation` and `suggestion` are JSON."""

    study_id: int
    number: int
    stage: str
    state: str
    fingerprint: str
    rung: int
    replicate: int
    suggestion: str
    evaluation: str | None
    failure_kind: str | None
    finish_order: int | None
    worker: str | None
    lease_until: float | None


@dataclass(frozen=True)
class CursorRow:
    """How far a reader has seen a study."""

    study_id: int
    reader: str
    finish_order: int


@dataclass(frozen=True)
class StoreRows:
    """A whole store. `complaints` are the database's own; a store without a version holds no rows."""

    version: str | None
    complaints: tuple[str, ...] = ()
    tables: tuple[str, ...] = ()
    studies: tuple[StudyRow, ...] = ()
    trials: tuple[TrialRow, ...] = ()
    cursors: tuple[CursorRow, ...] = ()


class RowsUnreadable(Exception):
    """The database cannot be opened or read; the text says why."""


def sqlite_rows(file: Path) -> StoreRows:
    """The rows of a SQLite store, which stays as it is, down to the files beside it.

    Raises:
        RowsUnreadable: the file is no database, or cannot be read.
    """
    had_log = _has_log(file)
    rows = _sqlite_rows(file, has_log=had_log)
    # a writer that came meanwhile may have changed pages under a reader that took no part in locking
    return rows if had_log or not _has_log(file) else _sqlite_rows(file, has_log=True)


def server_rows(url: str) -> StoreRows:
    """The rows of a store on a database server.

    Raises:
        RowsUnreadable: the server does not answer.
    """
    from storage import StorageError
    from storage.stores.sql._connect import connect
    from storage.stores.sql._transactions import reading

    try:
        engine = connect(url)
        with closing(_Closable(engine.dispose)), reading(engine) as connection:

            def query(sql: str) -> Sequence[Sequence[Any]]:
                return [tuple(row) for row in connection.exec_driver_sql(sql)]

            known = query("SELECT table_name FROM information_schema.tables WHERE table_schema = current_schema()")
            return _rows(query, tables=[str(name) for (name,) in known], complaints=())
    except StorageError as error:
        raise RowsUnreadable(str(error)) from error


class _Closable:
    def __init__(self, close: Callable[[], None]) -> None:
        self.close = close


def _has_log(file: Path) -> bool:
    log = Path(f"{file}-wal")
    return log.exists() and log.stat().st_size > 0


def _sqlite_rows(file: Path, *, has_log: bool) -> StoreRows:
    with _opened(file, has_log=has_log) as connection:

        def query(sql: str) -> Sequence[Sequence[Any]]:
            return connection.execute(sql).fetchall()

        complaints = tuple(str(text) for (text,) in query("PRAGMA integrity_check") if text != "ok")
        broken = query("PRAGMA foreign_key_check")
        orphans = (f"{len(broken)} rows belong to no study, the first in {broken[0][0]!r}",) if broken else ()
        known = query("SELECT name FROM sqlite_master WHERE type = 'table'")
        return _rows(query, tables=[str(name) for (name,) in known], complaints=(*complaints, *orphans))


@contextmanager
def _opened(file: Path, *, has_log: bool) -> Iterator[sqlite3.Connection]:
    # without a log nothing is written beside the file: SQLite would make one even to read
    mode = "mode=ro" if has_log else "mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True)) as connection:
            connection.text_factory = _text
            yield connection
    except sqlite3.Error as error:
        raise RowsUnreadable(str(error)) from error


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", errors="replace")


def _rows(query: Query, *, tables: Sequence[str], complaints: Sequence[str]) -> StoreRows:
    if VERSION_TABLE not in tables:
        return StoreRows(None, tuple(complaints), tuple(tables))
    versions = query(f"SELECT version_num FROM {VERSION_TABLE}")
    found = StoreRows(str(versions[0][0]) if versions else "", tuple(complaints), tuple(tables))
    if not set(TABLES) <= set(tables):
        return found
    trials, cursors = query(_TRIALS), query("SELECT study_id, reader, finish_order FROM cursors")
    return StoreRows(
        found.version,
        (*found.complaints, *_mistyped(trials, _TRIAL_TYPES), *_mistyped(cursors, _CURSOR_TYPES)),
        found.tables,
        tuple(StudyRow(*row) for row in query("SELECT id, name, config FROM studies ORDER BY id")),
        tuple(TrialRow(*row) for row in trials if _fits(row, _TRIAL_TYPES)),
        tuple(CursorRow(*row) for row in cursors if _fits(row, _CURSOR_TYPES)),
    )


def _mistyped(rows: Sequence[Sequence[Any]], types: Sequence[object]) -> Iterator[str]:
    """SQLite keeps text in a column of numbers without a word."""
    for row in rows:
        wrong = [one for one, kind in zip(row, types, strict=True) if not isinstance(one, kind)]  # type: ignore[arg-type]
        if wrong:
            yield f"the row {row[:2]} holds {wrong[0]!r}, which is of a wrong kind"


def _fits(row: Sequence[Any], types: Sequence[object]) -> bool:
    return not list(_mistyped([row], types))


_NUMBER, _TEXT = int | None, str | None
_TRIAL_TYPES = (int, int, str, str, str, int, int, str, _TEXT, _TEXT, _NUMBER, _TEXT, float | int | None)
_CURSOR_TYPES = (int, str, int)
_TRIALS = """
SELECT study_id, number, stage, state, fingerprint, rung, replicate, suggestion, evaluation, failure_kind,
       finish_order, worker, lease_until
FROM trials ORDER BY study_id, number
"""
