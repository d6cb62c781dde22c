"""Opens the store that a URL names, without loading any other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import cast

from searchspaces import load_plugin, plugin_names
from storage._errors import StoreUnreadable
from storage._masking import masked
from storage._store import TrialStore

ROOM = "storage.stores"
SQL_SCHEMES = ("sqlite", "postgresql")


def open_store(url: str, *, create: bool = True) -> TrialStore:
    """The store at `url`: `memory://`, `sqlite:///FILE` or `postgresql://...`.

    A new database is given its tables, unless `create` is False, for commands that only look.

    Raises:
        StoreUnreadable: no store of that scheme, this one cannot be opened, or it is not there.
    """
    room = _room_of(url)
    check: Callable[[str], None] | None = getattr(room, "check_there", None)
    if not create and check is not None:
        check(url)
    return cast(TrialStore, room(url))


def upgrade_store(url: str) -> Path | None:
    """Brings a database of an older release to the schema of this one; where it is a file, the copy made before.

    Raises:
        StoreUnreadable: the URL names no database, it is newer than this release, or a process works on it.
    """
    upgrade: Callable[[str], Path | None] | None = getattr(_room_of(url), "upgrade", None)
    if upgrade is None:
        raise StoreUnreadable(f"{masked(url)} has no schema to upgrade; name a database")
    return upgrade(url)


def _room_of(url: str) -> type:
    scheme = re.match(r"([a-z]\w*)(?:\+\w+)?://", url)
    if scheme is None:
        raise StoreUnreadable(f"a storage URL looks like sqlite:///automl.db, but is {masked(url)!r}")
    name = "sql" if scheme[1] in SQL_SCHEMES else scheme[1]
    known = plugin_names(ROOM)
    if name not in known:
        schemes = ", ".join(sorted({*SQL_SCHEMES, *known} - {"sql"}))
        raise StoreUnreadable(f"no store for {masked(url)!r}; a storage URL starts with one of {schemes}")
    return load_plugin(ROOM, name)
