"""PostgreSQL: how to connect, whether a commit arrived, and what the server's refusals ask for."""

from __future__ import annotations

import re
import time
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, func, select
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError

from storage.stores.sql._trouble import Trouble

DRIVER = "psycopg"
LOCK_SECONDS = 30
"""How long a call waits for another one of the same study; nothing that the store does takes that long."""
STALLED_SECONDS = 60
"""After which the server ends a transaction whose process was stopped in the middle of it."""
CONNECT_SECONDS = 10
SILENT_SECONDS = 60
"""After which a connection counts as lost whose other end answers nothing."""

_GONE = ("57P01", "57P02", "57P03", "40001", "40P01")  # shut down, crashed, starting; serialization failure, deadlock
_BY_STATE = {
    "53100": Trouble("the server's disk is full; make room there, then resume", passes=True),
    "55P03": Trouble("another process has held the study for too long; end it, or try again later", passes=True),
    "25006": Trouble("the server takes no writes: it is a standby, or read-only; name the primary server"),
    "42501": Trouble("the user may not do that; grant CREATE on its schema, or name another user or database"),
}
_BY_TEXT = (
    (r'password authentication failed for user "(.*?)"', "the server refuses the password of user {0!r}; correct it"),
    (r"no password supplied", "the server wants a password; write it into the URL or ~/.pgpass"),
    (r'database "(.*?)" does not exist', "the server has no database {0!r}; make it with 'createdb {0}'"),
    (
        r'role "(.*?)" does not exist',
        "the server has no user {0!r}; make it with 'createuser {0}', or name another one",
    ),
    (r"(no pg_hba\.conf entry for .*)", "the server lets nobody in from here: {0}; change its pg_hba.conf"),
    (r"failed to resolve host '(.*?)'", "there is no host {0!r}; check the URL"),
)
_FULL_HOUSE = re.compile(r"too many clients|connection slots are reserved|too many connections")
_RESTARTING = re.compile(r"the database system is (starting up|shutting down|in recovery mode|not yet accepting)")
_NO_ANSWER = re.compile(r"connection failed|connection is bad|timeout expired")


def open_server(url: URL) -> Engine:
    """An engine that notices within a minute that its server is gone, and never waits for a lock for ever."""
    if "+" not in url.drivername:
        url = url.set(drivername=f"postgresql+{DRIVER}")
    # named, as a server may have another default: what a lock was waited for would not be seen then
    level = "READ COMMITTED"
    return create_engine(url, isolation_level=level, connect_args=_defaults(url) if DRIVER in url.drivername else {})


def transaction_number(connection: Connection) -> int | None:
    """By which the server remembers how this transaction ended; None where that is nobody's question."""
    if connection.dialect.name != "postgresql":
        return None
    number: int = connection.execute(select(func.txid_current())).scalar_one()
    return number


def was_committed(engine: Engine, number: int, *, patience_seconds: float) -> bool | None:
    """How a transaction ended whose connection was lost in its commit; None where it cannot be learnt in time."""
    ends_at = time.monotonic() + patience_seconds
    while time.monotonic() < ends_at:
        try:
            with engine.connect() as connection:
                status = connection.execute(select(func.txid_status(number))).scalar()
        except DBAPIError:
            status = "in progress"
        if status != "in progress":
            return None if status is None else status == "committed"
        time.sleep(0.2)
    return None


def server_trouble(url: URL, error: DBAPIError) -> Trouble:
    """What a refusal of the server asks for."""
    message = str(error.orig)
    state = getattr(error.orig, "sqlstate", None)  # drivers differ; psycopg has it
    if state in _BY_STATE:
        return _BY_STATE[state]
    for pattern, way_out in _BY_TEXT:
        if found := re.search(pattern, message):
            return Trouble(way_out.format(*found.groups()))
    if _FULL_HOUSE.search(message):
        return Trouble("the server has no connection left; end other clients, or raise max_connections", passes=True)
    first_line = message.splitlines()[0] if message else "no reason given"
    was_there = error.connection_invalidated or state in _GONE or _RESTARTING.search(message) is not None
    if was_there or _NO_ANSWER.search(message):
        place = f"{url.host or 'the socket'}{'' if url.port is None else f':{url.port}'}"
        reason = f"no server answers at {place} ({first_line}); start it or check the network"
        return Trouble(reason, is_lost=True, restarts=was_there)
    return Trouble(first_line)


def _defaults(url: URL) -> dict[str, Any]:
    """Of the driver's settings, those that the URL leaves open."""
    session = {
        "lock_timeout": f"{LOCK_SECONDS}s",
        "idle_in_transaction_session_timeout": f"{STALLED_SECONDS}s",
        "synchronous_commit": "on",  # where it is off, a crash of the server takes trials that were said to be kept
    }
    settings = {
        "connect_timeout": CONNECT_SECONDS,
        "keepalives_idle": SILENT_SECONDS // 2,
        "tcp_user_timeout": SILENT_SECONDS * 1000,
        "options": " ".join(f"-c {name}={value}" for name, value in session.items()),
        "application_name": "ctr-automl",
    }
    return {name: value for name, value in settings.items() if name not in url.query}
