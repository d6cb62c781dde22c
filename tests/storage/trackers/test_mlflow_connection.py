"""A new MLflow file is whole or not there."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from storage.trackers._mlflow_connection import connect

pytestmark = pytest.mark.slow


def test_a_file_whose_making_is_broken_off_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken_off(_source: Path, _target: Path) -> None:
        raise KeyboardInterrupt

    file = tmp_path / "mlflow.db"
    with monkeypatch.context() as patched:
        patched.setattr(os, "link", broken_off)
        with pytest.raises(KeyboardInterrupt):
            connect(f"sqlite:///{file}")
    assert list(tmp_path.iterdir()) == []
    assert connect(f"sqlite:///{file}").search_experiments()


def test_a_file_that_another_process_has_made_meanwhile_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, file, link = tmp_path / "other.db", tmp_path / "mlflow.db", os.link
    connect(f"sqlite:///{other}").create_experiment("theirs")

    def late(source: Path, target: Path) -> None:
        with closing(sqlite3.connect(other)) as connection:
            connection.execute("VACUUM INTO ?", (str(file),))
        link(source, target)

    monkeypatch.setattr(os, "link", late)
    found = connect(f"sqlite:///{file}").search_experiments()
    assert "theirs" in {one.name for one in found}


def test_a_file_system_without_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(_source: Path, _target: Path) -> None:
        raise PermissionError("Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    assert connect(f"sqlite:///{tmp_path / 'mlflow.db'}").search_experiments()
