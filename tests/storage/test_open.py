"""A URL finds its store."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from storage import StoreUnreadable, open_store, upgrade_store
from tests.storage.samples import STUDY, record
from tests.storage.stores.sql.databases import KINDS, empty


def test_memory_is_a_store() -> None:
    store = open_store("memory://")
    store.create_study(record())
    assert store.study(STUDY) == record()


def test_a_sqlite_file_is_made_ready_and_opens_again(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'a.db'}"
    store = open_store(url)
    store.create_study(record())
    store.close()
    again = open_store(url, create=False)
    assert again.studies() == [record()]
    again.close()


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("automl.db", "a storage URL looks like sqlite:///automl.db, but is 'automl.db'"),
        ("mysql://a:secret@host/db", "no store for 'mysql://a:***@host/db'; a storage URL starts with one of memory,"),
        ("sqlite://", "a SQLite store needs a file, for instance sqlite:///automl.db; use memory:// for none"),
        ("sqlite:///:memory:", "a SQLite store needs a file, for instance sqlite:///automl.db"),
        ("postgresql+nothing://host/db", "a storage URL looks like sqlite:///automl.db or postgresql://user@host"),
    ],
)
def test_a_wrong_url_is_refused_with_the_way_out(url: str, reason: str) -> None:
    with pytest.raises(StoreUnreadable, match=re.escape(reason)):
        open_store(url)


def test_looking_at_a_missing_file_does_not_create_it(tmp_path: Path) -> None:
    file = tmp_path / "typo.db"
    with pytest.raises(StoreUnreadable, match=r"there is no file .*typo\.db; check --storage or AUTOML_STORAGE"):
        open_store(f"sqlite:///{file}", create=False)
    with pytest.raises(StoreUnreadable, match="there is no file"):
        upgrade_store(f"sqlite:///{file}")
    assert not file.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_looking_into_an_empty_database_makes_no_tables(kind: str, tmp_path: Path) -> None:
    url = empty(kind, tmp_path)
    if kind == "sqlite":
        (tmp_path / "store.db").touch()
    for _ in range(2):
        with pytest.raises(
            StoreUnreadable, match="holds no studies yet; begin a search, or check --storage or AUTOML_"
        ):
            open_store(url, create=False)


def test_only_a_database_can_be_upgraded(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadable, match="memory:// has no schema to upgrade; name a database"):
        upgrade_store("memory://")
    url = f"sqlite:///{tmp_path / 'a.db'}"
    open_store(url).close()
    upgrade_store(url)
    open_store(url).close()
