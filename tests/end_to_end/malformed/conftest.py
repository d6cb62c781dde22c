"""The valid folder, made once for a module and fresh for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.malformed.place import Place, make_place


@pytest.fixture(scope="package")
def made(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """One folder for all tests, so that the paths which a study remembers stay right."""
    return make_place(tmp_path_factory.mktemp("malformed"))


@pytest.fixture
def place(made: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The working folder, valid again; the program's home lies in it."""
    folder = made.restore()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AUTOML_HOME", str(folder / "home"))
    yield folder
    monkeypatch.undo()
