"""Opens the database and turns what a driver says into errors that say the way out."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, IntegrityError, NoSuchModuleError

from storage._errors import StoreUnreadable
from storage._masking import masked

BUSY_SECONDS = 30.0
IMMEDIATE = "automl_immediate"


def connect(url: str) -> Engine:
    """An engine whose SQLite connections check foreign keys and wait `BUSY_SECONDS` (or `?timeout=`) for a lock.

    Raises:
        StoreUnreadable: the URL is malformed, names no file, or its driver is not installed.
    """
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() == "sqlite":
            return _sqlite(parsed)
        return create_engine(parsed, pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError) as error:
        raise StoreUnreadable(
            "a storage URL looks like sqlite:///automl.db or postgresql+psycopg://user@host/name, "
            f"but is {masked(url)!r}"
        ) from error
    except ModuleNotFoundError as error:
        raise StoreUnreadable(f"{masked(url)} needs the driver {error.name!r}; install it with pip") from error


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes; on SQLite it takes the write lock at once, so that a claim is atomic."""
    with translated(engine.url), engine.execution_options(**{IMMEDIATE: True}).begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One transaction that sees one state of the database."""
    with translated(engine.url), engine.begin() as connection:
        yield connection


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turns a driver's error into `StoreUnreadable` with what to do."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise StoreUnreadable(f"{masked(url.render_as_string())}: {_reason(url, str(error.orig))}") from error


def use_write_ahead_log(engine: Engine, *, patience_seconds: float = 5.0) -> None:
    """Lets readers and one writer of a SQLite file work at once; the file remembers it.

    The change needs the file for a moment alone. SQLite waits too long for a reader and not at all for a writer, so
    it is tried again; without it the store is as right, only slower. Asking costs next to nothing where it is set.
    """
    if engine.url.get_backend_name() != "sqlite":
        return
    ends_at = time.monotonic() + patience_seconds
    while time.monotonic() < ends_at:
        try:
            with engine.connect() as connection:
                # assigned only where it is needed: that would be refused where the file may only be read
                if _pragma(connection, "journal_mode") != "wal":
                    _set_write_ahead_log(connection)
            return
        except sqlite3.OperationalError as error:
            if "locked" not in str(error):
                return
            time.sleep(0.05)


def _set_write_ahead_log(connection: Connection) -> None:
    milliseconds = _pragma(connection, "busy_timeout")
    _pragma(connection, "busy_timeout = 0")
    try:
        _pragma(connection, "journal_mode = WAL")
    finally:
        _pragma(connection, f"busy_timeout = {milliseconds}")


def _pragma(connection: Connection, pragma: str) -> str:
    cursor = connection.connection.cursor()  # past SQLAlchemy, which would begin a transaction
    cursor.execute(f"PRAGMA {pragma}")
    (value,) = cursor.fetchone() or ("",)
    return str(value)


def _sqlite(url: URL) -> Engine:
    if not url.database or url.database == ":memory:":
        raise StoreUnreadable("a SQLite store needs a file, for instance sqlite:///automl.db; use memory:// for none")
    engine = create_engine(url, connect_args={} if "timeout" in url.query else {"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so, not where the driver guesses
    connection.execute("PRAGMA foreign_keys = ON")
    # With the write-ahead log this survives every crash of a process; only a power cut can take the last commits.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get(IMMEDIATE) else "BEGIN")


def _reason(url: URL, message: str) -> str:
    file = Path((url.database or "").removeprefix("file:"))
    if "unable to open" in message:
        return _file_reason(file)
    if "readonly" in message:
        return _permission_reason(file)
    if "is not a database" in message:
        return "the file is not a SQLite database; name another one"
    if "database is locked" in message:
        return "another process has held the database for too long; end it, or try again later"
    return message.splitlines()[0]


def _file_reason(file: Path) -> str:
    folder = file.absolute().parent
    if not folder.exists():
        return f"the folder {folder} does not exist; create it, or name another file"
    if not folder.is_dir():
        return f"{folder} is not a folder; name another file"
    if file.is_dir():
        return "this is a folder; name a file in it"
    return _permission_reason(file)


def _permission_reason(file: Path) -> str:
    target = file if file.exists() and not os.access(file, os.W_OK) else file.absolute().parent
    return f"no permission to write {target}; change its permissions, or name another file"
