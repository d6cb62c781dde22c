"""Files and folders that the user may not read or write; a superuser plays one who may not."""

from __future__ import annotations

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.end_to_end.malformed.place import DONE, Place, execute, make_place
from tests.end_to_end.malformed.verdict import changes, complaints_of_text, snapshot

NOBODY = 65534
CREATE, PREPARE = ("create", "study.yaml"), ("data", "prepare", "table.yaml", "--out", "made")
TRAIN, TELL = ("train", "winner.yaml", "--data", "data"), ("tell", "asked", "0", "--metrics", "metrics.json")
PREDICT = ("predict", "winner.yaml", "--weights", "weights.safetensors", "--data", "data", "--part", "valid")
SEARCH = ("search", "study.yaml", "--storage", "sqlite:///fields/new.db")

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="permissions bind no superuser")

UNREADABLE = [
    ("study.yaml", CREATE),
    ("study.yaml", ("doctor", "study.yaml")),
    ("table.yaml", PREPARE),
    ("clicks.csv", PREPARE),
    ("fields", ("data", "prepare", "fields")),
    ("fields/fields.json", ("data", "prepare", "fields")),
    ("fields/train.parquet", ("data", "prepare", "fields")),
    ("raw/criteo/train.txt", ("data", "prepare", "criteo", "--from", "raw/criteo")),
    ("raw/kdd12", ("data", "prepare", "kdd12", "--from", "raw/kdd12")),
    ("data", CREATE),
    ("data/schema.json", CREATE),
    ("data/train", TRAIN),
    ("data/train/label.npy", TRAIN),
    ("data/vocabulary/000.parquet", (*TRAIN, "--out", "w.safetensors")),
    ("winner.yaml", TRAIN),
    ("winner.yaml", (*CREATE, "--set", "baseline=winner.yaml")),
    ("model.json", (*CREATE, "--set", "baseline=model.json")),
    ("weights.safetensors", PREDICT),
    ("metrics.json", TELL),
    ("automl.db", ("trials", DONE)),
    ("automl.db", ("resume", DONE, "--trials", "+1")),
    ("automl.db", CREATE),
    ("automl.db", ("db", "upgrade")),
    ("automl.db", ("doctor",)),
]
UNWRITABLE = [
    ("automl.db", CREATE),
    ("automl.db", TELL),
    ("automl.db", ("resume", DONE, "--trials", "+1")),
    ("fields", SEARCH),
    ("fields", ("data", "prepare", "table.yaml", "--out", "fields/made")),
    ("fields", ("export", DONE, "--out", "fields/w.yaml")),
    ("fields", ("report", DONE, "--out", "fields/r.html")),
    ("fields", ("init", "table", "--out", "fields/made")),
    ("home", ("data", "prepare", "table.yaml")),
    ("home", (*CREATE, "--set", "data=table.yaml")),
    ("home", TRAIN),
]


@pytest.fixture(scope="module")
def theirs() -> Iterator[Place]:
    """A valid folder that lies where every user may go."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = make_place(Path(folder))
        _load_everything(made)
        yield made


def _load_everything(made: Place) -> None:
    """Modules that are loaded late might lie where only the superuser may read."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(made.folder)
        patch.setenv("AUTOML_HOME", str(made.folder / "home"))
        for command in {command for _, command in (*UNREADABLE, *UNWRITABLE)}:
            made.restore()
            execute(command)


@pytest.fixture
def place(theirs: Place, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder, valid again, and the user's own."""
    folder = theirs.restore()
    monkeypatch.chdir(folder)
    monkeypatch.setenv("AUTOML_HOME", str(folder / "home"))
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, NOBODY)
    yield folder
    monkeypatch.undo()
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


@contextmanager
def user() -> Iterator[None]:
    """Somebody whom permissions bind."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


def _assert_told(place: Path, command: tuple[str, ...], name: str) -> None:
    gc.collect()  # what earlier commands left open would be closed by somebody who may not
    before = snapshot(place)
    with user():
        done = execute(command)
    assert done.code == (1 if command[0] == "doctor" else 2), done.err
    assert complaints_of_text(done.err) == [], done.err
    assert Path(name).name in done.err
    assert changes(before, place) == [], done.err


@pytest.mark.parametrize(("name", "command"), UNREADABLE, ids=lambda one: one if isinstance(one, str) else one[0])
def test_what_may_not_be_read_is_named(name: str, command: tuple[str, ...], place: Path) -> None:
    (place / name).chmod(0)
    _assert_told(place, command, name)


@pytest.mark.parametrize(("name", "command"), UNWRITABLE, ids=lambda one: one if isinstance(one, str) else one[0])
def test_what_may_not_be_written_is_named(name: str, command: tuple[str, ...], place: Path) -> None:
    (place / name).chmod(0o555 if (place / name).is_dir() else 0o444)
    if name == "automl.db":
        place.chmod(0o555)
    _assert_told(place, command, name)


def test_a_user_may_do_all_that_where_permissions_allow_it(place: Path) -> None:
    with user():
        done = [execute(command) for command in (CREATE, PREPARE, ("trials", DONE), TELL)]
    assert [one.err for one in done if one.code] == []
