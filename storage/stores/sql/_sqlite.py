"""SQLite: how connections begin, one writer at a time, and what the file's refusals ask for."""

from __future__ import annotations

import os
import sqlite3
import time
from functools import partial
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage._errors import StoreUnreadable
from storage.stores.sql._trouble import Trouble

BUSY_SECONDS = 30.0
IMMEDIATE = "automl_immediate"

_KNOWN = {
    "is not a database": Trouble("the file is not a SQLite database; name another one"),
    "malformed": Trouble("the file is damaged; put a copy in its place, or save what is left with 'sqlite3 .recover'"),
    "database is locked": Trouble(
        "another process has held the database for too long; end it, or try again later", passes=True
    ),
    "is full": Trouble("no space is left for the file; make room, then resume: nothing was lost", passes=True),
    "disk I/O error": Trouble(
        "the file cannot be written: the disk, its quota or the file system refuses; make room, then resume",
        passes=True,
    ),
}


def open_file(url: URL) -> Engine:
    """An engine whose connections check foreign keys and wait `BUSY_SECONDS` (or `?timeout=`) for a lock.

    Raises:
        StoreUnreadable: the URL names no file.
    """
    if not url.database or url.database == ":memory:":
        raise StoreUnreadable("a SQLite store needs a file, for instance sqlite:///automl.db; use memory:// for none")
    if _lies_still(url):
        engine = create_engine(url, creator=partial(_connect_unchanging, _file(url)))
    else:
        engine = create_engine(url, connect_args={} if "timeout" in url.query else {"timeout": BUSY_SECONDS})
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def check_file(url: URL) -> None:
    """Returns silently where the file exists, or the URL names none; SQLite would make it.

    Raises:
        StoreUnreadable: it does not.
    """
    file = _file(url)
    if url.get_backend_name() == "sqlite" and not file.exists():
        raise StoreUnreadable(f"{url}: there is no file {file}; check --storage or AUTOML_STORAGE")


def file_trouble(url: URL, error: DBAPIError) -> Trouble:
    """What a refusal of SQLite asks for."""
    message = str(error.orig)
    file = _file(url)
    if "unable to open" in message:
        return Trouble(_file_reason(file))
    if "readonly" in message:
        return Trouble(_permission_reason(file))
    known = next((trouble for text, trouble in _KNOWN.items() if text in message), None)
    return known or Trouble(message.splitlines()[0])


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


def _lies_still(url: URL) -> bool:
    """Whether nobody here can write the file, and nobody was in the middle of it.

    To read a file with a write-ahead log, SQLite would write beside it.
    """
    file = _file(url)
    log = file.with_name(f"{file.name}-wal")
    may_be_written = os.access(file, os.W_OK) and os.access(file.absolute().parent, os.W_OK)
    return file.is_file() and not may_be_written and not (log.exists() and log.stat().st_size)


def _connect_unchanging(file: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro&immutable=1", uri=True, check_same_thread=False)


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


def _file(url: URL) -> Path:
    return Path((url.database or "").removeprefix("file:"))


def _prepare(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where `_begin` says so, not where the driver guesses
    connection.execute("PRAGMA foreign_keys = ON")
    # With the write-ahead log this survives every crash of a process; only a power cut can take the last commits.
    connection.execute("PRAGMA synchronous = NORMAL")


def _begin(connection: Connection) -> None:
    if connection.get_execution_options().get(IMMEDIATE):
        connection.exec_driver_sql("BEGIN IMMEDIATE")


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
