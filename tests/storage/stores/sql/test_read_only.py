"""A store that nobody may write can be looked at, and says so where somebody tries to change it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from storage import StoreUnreadable, open_store
from tests.storage.samples import record, suggestion


@pytest.fixture
def store_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root may write everywhere, so the system's answer is what is changed."""
    store = open_store(f"sqlite:///{tmp_path / 'automl.db'}")
    store.create_study(record("s"))
    store.begin("s", [suggestion(1)], ask_number=0, stage="search")
    store.close()
    known = os.access
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK and known(path, mode))
    return tmp_path / "automl.db"


def test_a_read_only_store_is_read_and_nothing_is_written_beside_it(store_file: Path) -> None:
    store = open_store(f"sqlite:///{store_file}", create=False)
    assert [trial.number for trial in store.trials("s")] == [0]
    assert [path.name for path in store_file.parent.iterdir()] == ["automl.db"]
    store.close()


def test_a_change_of_a_read_only_store_is_refused(store_file: Path) -> None:
    store = open_store(f"sqlite:///{store_file}", create=False)
    with pytest.raises(StoreUnreadable, match=r"no permission to write .*automl\.db; change its permissions, or name"):
        store.claim("s", worker="w", limit=1, lease_seconds=1.0)
    store.close()
