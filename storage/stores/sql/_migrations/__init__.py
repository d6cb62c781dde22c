"""Which schema a database has, and the way to the one of this release.

Looking costs one SELECT, and on SQLite one PRAGMA; Alembic is loaded only where a database is new or is upgraded
on request. Its table has a name of its own, so that the store never takes another program's versions for its own.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, Text, column, inspect, select, table
from sqlalchemy.exc import OperationalError, ProgrammingError

from storage._errors import StoreUnreadable
from storage._masking import masked
from storage.stores.sql._connect import translated, use_write_ahead_log, writing

VERSION_TABLE = "ctr_automl_version"
VERSIONS = ("0001",)  # oldest first; the last one is what this release reads and writes
LATE_PATIENCE_SECONDS = 0.5  # another process may be at work in a file that is not new


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
            f"copy it, then run 'automl db upgrade --storage {url}'"
        )
    raise _newer(url, version)


def upgrade(engine: Engine) -> None:
    """Brings a database of any older schema to this release's; gives a new one its tables.

    Raises:
        StoreUnreadable: the schema is newer than this release.
    """
    version = _version(engine)
    if version is None:
        _create(engine)
        return
    if version not in VERSIONS:
        raise _newer(masked(engine.url.render_as_string()), version)
    with writing(engine) as connection:
        _migrate(connection)
    use_write_ahead_log(engine)


def _newer(url: str, version: str) -> StoreUnreadable:
    return StoreUnreadable(
        f"{url} was written by a newer release: its schema is {version}, and this one knows up to {VERSIONS[-1]}; "
        "install the newer ctr-automl, or name another store"
    )


def _version(engine: Engine) -> str | None:
    query = select(column("version_num", Text)).select_from(table(VERSION_TABLE))
    with translated(engine.url):
        try:
            with engine.begin() as connection:
                found: str | None = connection.execute(query).scalar()
                return found
        except (OperationalError, ProgrammingError):
            with engine.begin() as connection:
                if VERSION_TABLE in inspect(connection).get_table_names():
                    raise
            return None


def _create(engine: Engine) -> None:
    with writing(engine) as connection:
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


def _migrate(connection: Connection) -> None:
    from storage.stores.sql._migrations._run import run  # Alembic takes longer to load than everything else

    run(connection, VERSION_TABLE)
