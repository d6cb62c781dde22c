"""Which schema a database has, and the way to the one of this release.

Looking costs one SELECT, and on SQLite one PRAGMA; Alembic is loaded only where a database is new or is upgraded
on request. Its table has a name of its own, so that the store never takes another program's versions for its own.
A migration is one transaction that nobody else shares: whoever comes second waits, and finds the work done.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, Text, column, func, inspect, select, table
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage._errors import StoreUnreadable
from storage._masking import masked
from storage.stores.sql._migrations._backup import back_up
from storage.stores.sql._migrations._leases import check_idle
from storage.stores.sql._sqlite import use_write_ahead_log
from storage.stores.sql._transactions import translated, writing

VERSION_TABLE = "ctr_automl_version"
VERSIONS = ("0001", "0002")  # oldest first; the last one is what this release reads and writes
LATE_PATIENCE_SECONDS = 0.5  # another process may be at work in a file that is not new
MIGRATION_LOCK = 0x6175746F6D6C  # any number that no other program of the database takes: "automl" in ASCII


def make_ready(engine: Engine) -> None:
    """Gives a new database its tables; returns silently for one of this release.

    Raises:
        StoreUnreadable: the schema is older or newer, or the tables are another program's.
    """
    version = _version(engine)
    if version == VERSIONS[-1]:
        use_write_ahead_log(engine, patience_seconds=LATE_PATIENCE_SECONDS)  # its maker may have died before that
        return
    if version is None:
        _create(engine)
        return
    url = masked(engine.url.render_as_string())
    if version in VERSIONS:
        raise StoreUnreadable(
            f"{url} has the older schema {version}, and this release needs {VERSIONS[-1]}; "
            f"run 'automl db upgrade --storage {url}'{_advice(engine)}"
        )
    raise _newer(url, version)


def check_made(engine: Engine) -> None:
    """Returns silently where the database has the tables of any schema.

    Raises:
        StoreUnreadable: it has none.
    """
    if _version(engine) is None:
        url = masked(engine.url.render_as_string())
        raise StoreUnreadable(f"{url} holds no studies yet; begin a search, or check --storage or AUTOML_STORAGE")


def upgrade(engine: Engine, *, now: float) -> Path | None:
    """Brings a database of any older schema to this release's; gives a new one its tables.

    The copy of a file as it was before; None where nothing was to be done, or a server keeps the database.

    Raises:
        StoreUnreadable: the schema is newer than this release, or a process is at work.
    """
    if _version(engine) is None:
        _create(engine)
        return None
    copy = None
    with writing(engine) as connection:
        _wait_for_others(connection)
        version = str(_found(connection))
        if version not in VERSIONS:
            raise _newer(masked(engine.url.render_as_string()), version)
        if version != VERSIONS[-1]:
            check_idle(connection, now=now)
            copy = back_up(engine, version)
            _migrate(connection)
    use_write_ahead_log(engine)
    return copy


def _advice(engine: Engine) -> str:
    return "" if engine.dialect.name == "sqlite" else " after a backup, for instance by pg_dump"


def _newer(url: str, version: str) -> StoreUnreadable:
    return StoreUnreadable(
        f"{url} was written by a newer release: its schema is {version}, and this one knows up to {VERSIONS[-1]}; "
        "install the newer ctr-automl, or name another store"
    )


def _version(engine: Engine) -> str | None:
    with translated(engine.url):
        try:
            with engine.begin() as connection:
                return _found(connection)
        except (OperationalError, ProgrammingError) as error:
            if error.statement is None or error.connection_invalidated:  # nobody answers, so nothing can be inspected
                raise
            with engine.begin() as connection:
                if VERSION_TABLE not in inspect(connection).get_table_names():
                    return None
                return _found(connection)  # another process has made it meanwhile; what else is wrong shows again


def _found(connection: Connection) -> str | None:
    query = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
    found: str | None = connection.execute(query).scalar()
    return found


def _create(engine: Engine) -> None:
    with writing(engine) as connection:
        _wait_for_others(connection)
        tables = inspect(connection).get_table_names()
        if VERSION_TABLE in tables:  # another process was faster
            return
        if tables:
            raise StoreUnreadable(
                f"{masked(engine.url.render_as_string())} is the database of another program "
                f"(it has the table {min(tables)!r}); give the studies one of their own"
            )
        _migrate(connection)
    use_write_ahead_log(engine)


def _wait_for_others(connection: Connection) -> None:
    """Until this transaction ends, no other process migrates; on SQLite it is the only writer anyway."""
    if connection.dialect.name == "postgresql":
        connection.execute(select(func.pg_advisory_xact_lock(MIGRATION_LOCK)))


def _migrate(connection: Connection) -> None:
    from storage.stores.sql._migrations._run import run  # Alembic takes longer to load than everything else

    run(connection, VERSION_TABLE)
