"""A copy of a SQLite file before its schema changes: cheap, and the only way back."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from sqlalchemy import Engine

from storage._errors import StoreUnreadable


def back_up(engine: Engine, version: str) -> Path | None:
    """Copies the file beside itself, named after its schema, and says where; None for a server.

    It is called within the transaction that will change the file, so the copy is what was there before. A copy of an
    earlier upgrade is never replaced.

    Raises:
        StoreUnreadable: there is no room for the copy.
    """
    if engine.dialect.name != "sqlite":
        return None
    file = _file_of(engine)
    copy = _free_name(file, version)
    unfinished = copy.with_name(copy.name + ".unfinished")
    try:
        _copy(file, unfinished)
        os.replace(unfinished, copy)
    except (sqlite3.Error, OSError) as error:
        unfinished.unlink(missing_ok=True)
        raise StoreUnreadable(
            f"an upgrade begins with a copy of the file, but {copy} cannot be written ({error}); make room for "
            f"{file.stat().st_size / 2**20:.0f} MiB beside it, and upgrade again: nothing was changed"
        ) from error
    return copy


def _copy(file: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
    shutil.copymode(file, target)


def _file_of(engine: Engine) -> Path:
    with engine.connect() as connection:
        name = connection.exec_driver_sql("PRAGMA database_list").one()[2]
    return Path(name)


def _free_name(file: Path, version: str) -> Path:
    names = (f"{file.stem}.schema-{version}{'' if not again else f'.{again}'}{file.suffix}" for again in count())
    return next(path for path in map(file.with_name, names) if not path.exists())
