"""Transactions: how they begin and end, and what happens where the server goes away in the middle."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

from sqlalchemy import Connection, Engine
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage._errors import StoreUnavailable, StoreUnreadable
from storage._masking import masked
from storage.stores.sql._damage import RowDamaged
from storage.stores.sql._postgresql import server_trouble, transaction_number, was_committed
from storage.stores.sql._sqlite import IMMEDIATE, file_trouble

RECONNECT_SECONDS = 30.0
"""How long a call outlives its server: a restart takes seconds."""

P = ParamSpec("P")
T = TypeVar("T")


class _ConnectionLost(StoreUnavailable):
    """Nothing of the transaction was kept, so the call may be repeated."""


class _ServerRestarts(_ConnectionLost):
    """The server was there a moment ago."""


def patient(call: Callable[P, T]) -> Callable[P, T]:
    """Repeats a call whose connection was lost until it succeeds or `RECONNECT_SECONDS` are over."""
    return _repeated(call, _ConnectionLost)


def patient_in_restart(call: Callable[P, T]) -> Callable[P, T]:
    """The same for a server that restarts; one that does not answer may have a wrong address and is not waited for."""
    return _repeated(call, _ServerRestarts)


def _repeated(call: Callable[P, T], error: type[StoreUnavailable]) -> Callable[P, T]:
    @wraps(call)
    def repeated(*arguments: P.args, **options: P.kwargs) -> T:
        ends_at = time.monotonic() + RECONNECT_SECONDS
        pause, awaited = 0.05, error
        while True:
            try:
                return call(*arguments, **options)
            except awaited:
                awaited = _ConnectionLost  # the address was right, so from now on no answer is a restart
                if time.monotonic() + pause > ends_at:
                    raise
                time.sleep(pause)
                pause = min(2 * pause, 1.0)

    return repeated


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction that writes; on SQLite it takes the write lock at once, so that a claim is atomic."""
    with translated(engine.url), engine.connect() as connection:
        transaction = connection.execution_options(**{IMMEDIATE: True}).begin()
        number = transaction_number(connection)
        try:
            yield connection
        except BaseException:
            transaction.rollback()
            raise
        try:
            transaction.commit()
        except DBAPIError as error:
            if number is None or not error.connection_invalidated:
                raise
            _check_kept(engine, number, error)


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Looks only; each statement sees one state of the database, and none waits for a writer."""
    with translated(engine.url), engine.connect() as connection:
        if engine.dialect.name != "sqlite":  # where a SELECT outside BEGIN ends with itself
            connection.execution_options(isolation_level="AUTOCOMMIT")
        yield connection


@contextmanager
def translated(url: URL) -> Iterator[None]:
    """Turns a driver's error into `StoreUnreadable` with what to do."""
    try:
        yield
    except IntegrityError:
        raise
    except DBAPIError as error:
        raise _error(url, error) from error
    except UnicodeEncodeError as error:
        raise StoreUnreadable(
            f"{masked(url.render_as_string())} keeps Unicode texts, but {error.object!r} is none; write it in UTF-8"
        ) from error
    except RowDamaged as error:
        address = masked(url.render_as_string())
        raise StoreUnreadable(
            f"{address}: {error}; `automl doctor --storage {address}` tells what else is wrong; "
            "restore a copy from before"
        ) from error


def _error(url: URL, error: DBAPIError) -> StoreUnreadable:
    trouble = (file_trouble if url.get_backend_name() == "sqlite" else server_trouble)(url, error)
    text = f"{masked(url.render_as_string())}: {masked(trouble.reason)}"
    if trouble.is_lost:
        return (_ServerRestarts if trouble.restarts else _ConnectionLost)(text)
    return (StoreUnavailable if trouble.passes else StoreUnreadable)(text)


def _check_kept(engine: Engine, number: int, error: DBAPIError) -> None:
    """Returns silently where a commit arrived whose answer was lost."""
    kept = was_committed(engine, number, patience_seconds=RECONNECT_SECONDS)
    if kept is False:
        raise error
    if kept is None:
        raise StoreUnavailable(
            f"{masked(engine.url.render_as_string())}: the server went away in the middle of a commit and did not come "
            "back, so the last change may or may not have been kept; start the server, then resume"
        ) from error
