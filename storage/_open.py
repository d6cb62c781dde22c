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
    """The store at `url`: `memory://`, `sqlite:///FILE` or `postgresql+DRIVER://...`.

    A new database is given its tables, unless `create` is False, for commands that only look.

    Raises:
        StoreUnreadable: no store of that scheme, this one cannot be opened, or it is not there.
    """
    if not create:
        _check_there(url)
    return cast(TrialStore, _room_of(url)(url))


def upgrade_store(url: str) -> None:
    """Brings a database of an older release to the schema of this one.

    Raises:
        StoreUnreadable: the URL names no database, or it is newer than this release.
    """
    upgrade: Callable[[str], None] | None = getattr(_room_of(url), "upgrade", None)
    if upgrade is None:
        raise StoreUnreadable(f"{masked(url)} has no schema to upgrade; name a database")
    _check_there(url)
    upgrade(url)


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


def _check_there(url: str) -> None:
    file = Path(url.partition(":///")[2].partition("?")[0])
    if url.startswith("sqlite") and not file.exists():
        raise StoreUnreadable(f"{masked(url)}: there is no file {file}; check --storage or AUTOML_STORAGE")
