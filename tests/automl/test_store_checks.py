"""Every check of a store can fail: each damage is done to a copy and told."""

from __future__ import annotations

import os
import platform
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from automl._finding import Finding, State
from automl._store_checks import store_findings
from automl._store_rows import RowsUnreadable, sqlite_rows
from automl._worker import worker_name
from automl.doctor import examine_store
from storage import open_store
from tests.storage.samples import STUDY, begin, finish_next, record

NOW = time.time()
AREA = f"study {STUDY}"
DEAD = f"{platform.node()}/999999999/1.00/0"


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with three finished trials, one running under this process, and one waiting."""
    file = tmp_path_factory.mktemp("store") / "a.db"
    store = open_store(f"sqlite:///{file}")
    store.create_study(record())
    begin(store, 5)
    finish_next(store, 3)
    store.claim(STUDY, worker=worker_name(), limit=1, lease_seconds=3600)
    store.move_cursor(STUDY, "mlflow", 3)
    store.close()
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE studies SET config = ?", [_CONFIG])
    return file


_CONFIG = '{"schema_version": 1, "study": {"name": "movielens"}, "data": "d"}'

DAMAGES: dict[str, tuple[str, str, str, str]] = {
    "number": (
        "UPDATE trials SET number = 9 WHERE number = 4",
        "numbers", "problem", "trials 4 to 8 are missing",
    ),
    "order gap": (
        "UPDATE trials SET finish_order = 7 WHERE finish_order = 2",
        "finish order", "problem", "end 2 is missing; ends 4 to 6 are missing",
    ),
    "state": ("UPDATE trials SET state = 'LOST' WHERE number = 4", "states", "problem", "trial 4 is 'LOST', which is"),
    "ended": (
        "UPDATE trials SET finish_order = NULL WHERE number = 2",
        "states", "problem", "trial 2 is COMPLETE, but never ended",
    ),
    "not ended": (
        "UPDATE trials SET finish_order = 4 WHERE number = 4",
        "states", "problem", "trial 4 is WAITING, but already ended",
    ),
    "no evaluation": (
        "UPDATE trials SET evaluation = NULL WHERE number = 1",
        "states", "problem", "trial 1 is COMPLETE, but has no evaluation",
    ),
    "no reason": (
        "UPDATE trials SET state = 'FAIL', evaluation = NULL WHERE number = 1",
        "states", "problem", "trial 1 failed without a reason",
    ),
    "held by nobody": (
        "UPDATE trials SET worker = NULL WHERE number = 3",
        "states", "problem", "trial 3 is RUNNING, but is held by nobody",
    ),
    "evaluation": (
        "UPDATE trials SET evaluation = '{' WHERE number = 1",
        "contents", "problem", "the evaluation of trial 1 is not readable",
    ),
    "not finite": (
        "UPDATE trials SET evaluation = replace(evaluation, '0.9', 'NaN') WHERE number = 0",
        "contents", "problem", "the evaluation of trial 0 is not readable: NaN is no finite number",
    ),
    "suggestion": (
        "UPDATE trials SET suggestion = '[]' WHERE number = 1",
        "contents", "problem", "the suggestion of trial 1 is not readable: TypeError",
    ),
    "fingerprint": (
        "UPDATE trials SET fingerprint = 'v1:0' WHERE number = 1",
        "fingerprints", "problem", "trial 1 is kept as v1:0 at rung 1, replicate 3, but its suggestion is v1:",
    ),
    "double": (
        "UPDATE trials SET fingerprint = (SELECT fingerprint FROM trials WHERE number = 0) WHERE number = 1",
        "doubles", "warning", "trials 0 and 1 are one and the same",
    ),
    "dead worker": (
        f"UPDATE trials SET worker = '{DEAD}' WHERE number = 3",
        "workers", "warning", f"trial 3 is RUNNING, but its worker {DEAD} is gone",
    ),
    "lease": (
        "UPDATE trials SET worker = 'elsewhere/1/1.00/0', lease_until = 5 WHERE number = 3",
        "workers", "warning", "trial 3 is RUNNING, but the lease of elsewhere/1/1.00/0 is over by",
    ),
    "cursor": (
        "UPDATE cursors SET finish_order = 9",
        "cursors", "problem", "reader 'mlflow' stands at 9, but only 3 trials have ended",
    ),
    "configuration": (
        "UPDATE studies SET config = 'x'",
        "configuration", "problem", "is not readable",
    ),
    "old configuration": (
        "UPDATE studies SET config = '{\"schema_version\": 99}'",
        "configuration", "warning", "reads configurations of schema_version 1, but this one says 99",
    ),
}  # fmt: skip


def _copy(file: Path, folder: Path) -> Path:
    return Path(shutil.copy(file, folder / "copy.db"))


def _damaged(sound: Path, folder: Path, *statements: str) -> Path:
    file = _copy(sound, folder)
    with closing(sqlite3.connect(file)) as connection, connection:
        for statement in statements:
            connection.execute(statement)
    return file


def _found(file: Path) -> dict[tuple[str, str], Finding]:
    return {(one.area, one.name): one for one in examine_store(f"sqlite:///{file}", now=NOW)}


def _wrong(file: Path) -> list[Finding]:
    return [one for one in _found(file).values() if one.state is not State.OK]


def test_a_sound_store_is_fine(sound: Path) -> None:
    assert _wrong(sound) == []
    assert _found(sound)["store", f"study {STUDY}"].value == "3 COMPLETE, 1 RUNNING, 1 WAITING"


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damage_is_told(damage: str, sound: Path, tmp_path: Path) -> None:
    statement, name, state, text = DAMAGES[damage]
    finding = _found(_damaged(sound, tmp_path, statement))[AREA, name]
    assert (finding.state, bool(finding.way_out)) == (State(state), True)
    assert text in finding.value


def test_two_trials_that_ended_at_once_are_told(sound: Path) -> None:
    rows = sqlite_rows(sound)
    twice = [one for one in rows.trials if one.finish_order == 1]
    doubled = replace(rows, trials=(*rows.trials, replace(twice[0], number=5)))
    found = store_findings(doubled, newest="1", versions=("1",), now=NOW, store="s")
    assert "2 trials have end 1" in next(one.value for one in found if one.name == "finish order")


def test_rows_of_no_study_are_told(sound: Path, tmp_path: Path) -> None:
    file = _damaged(sound, tmp_path, "DELETE FROM studies")
    assert "6 rows belong to no study, the first in '" in _found(file)["store", "integrity"].value


@pytest.mark.parametrize("column", ["finish_order", "lease_until"])
def test_a_value_of_a_wrong_kind_is_told(column: str, sound: Path, tmp_path: Path) -> None:
    file = _damaged(sound, tmp_path, f"UPDATE trials SET {column} = 'soon' WHERE number = 1")
    assert "the row (1, 1) holds 'soon', which is of a wrong kind" in _found(file)["store", "integrity"].value


def test_a_torn_page_is_told(sound: Path, tmp_path: Path) -> None:
    file = _copy(sound, tmp_path)
    with closing(sqlite3.connect(file)) as connection:
        (page,) = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'ix_trials_state'").fetchone()
        (size,) = connection.execute("PRAGMA page_size").fetchone()
    content = bytearray(file.read_bytes())
    content[(page - 1) * size + size - 200 : page * size] = bytes(200)
    file.write_bytes(content)
    assert {one.state for one in _wrong(file)} == {State.PROBLEM}


@pytest.mark.parametrize("text", ["no database", ""])
def test_a_file_that_is_no_store_is_told(text: str, tmp_path: Path) -> None:
    file = tmp_path / "notes.db"
    file.write_text(text * 300)
    assert [one.state for one in _wrong(file)] == [State.PROBLEM if text else State.WARNING]


def test_the_database_of_another_program_is_told(tmp_path: Path) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE songs (title TEXT)")
    (finding,) = _wrong(file)
    assert (finding.value, finding.state) == ("no store of ours: it has the tables songs", State.PROBLEM)


@pytest.mark.parametrize(("version", "way_out"), [("0001", "automl db upgrade"), ("9999", "install the newer")])
def test_another_schema_is_told(version: str, way_out: str, sound: Path, tmp_path: Path) -> None:
    file = _damaged(sound, tmp_path, f"UPDATE ctr_automl_version SET version_num = '{version}'")
    finding = _found(file)["store", "schema"]
    assert (finding.state, way_out in finding.way_out) == (State.PROBLEM, True)


def test_looking_changes_nothing(sound: Path, tmp_path: Path) -> None:
    file = _copy(sound, tmp_path)
    before = file.read_bytes(), file.stat().st_mtime_ns
    _found(file)
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before
    assert os.listdir(tmp_path) == [file.name]


def test_what_a_running_search_has_written_is_seen(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'live.db'}")
    try:
        store.create_study(record())
        begin(store, 2)
        assert len(sqlite_rows(tmp_path / "live.db").trials) == 2
    finally:
        store.close()


def test_a_missing_store_is_a_problem_where_it_was_named(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'none.db'}"
    states = [examine_store(url, now=NOW, is_named=named)[0].state for named in (True, False)]
    assert states == [State.PROBLEM, State.OK]


def test_a_store_in_memory_has_nothing_to_check() -> None:
    (finding,) = examine_store("memory://", now=NOW)
    assert (finding.value, finding.state) == ("memory://: nothing is kept", State.OK)


def test_a_server_that_does_not_answer_is_told_without_its_password() -> None:
    url = "postgresql+psycopg://ann:secret@127.0.0.1:1/none?connect_timeout=2"
    texts = [f"{one.value} {one.way_out}" for one in examine_store(url, now=NOW)]
    assert "cannot be read" in texts[1]
    assert not any("secret" in text for text in texts)


@pytest.mark.slow
def test_a_store_on_a_server_is_checked_too() -> None:
    from tests.storage.postgres import new_database, ready_database

    url = ready_database()
    store = open_store(url)
    store.create_study(record())
    begin(store, 2)
    finish_next(store, 1)
    store.move_cursor(STUDY, "mlflow", 8)
    store.close()
    found = {(one.area, one.name): one for one in examine_store(url, now=NOW)}
    assert found["store", f"study {STUDY}"].value == "1 COMPLETE, 1 WAITING"
    assert {one.name for one in found.values() if one.state is State.PROBLEM} == {"cursors"}
    empty = new_database()
    assert [one.name for one in examine_store(empty, now=NOW) if one.state is not State.OK] == ["schema"]
    assert [one.name for one in examine_store(empty, now=NOW) if one.state is not State.OK] == ["schema"]


def test_unreadable_rows_have_an_error_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(RowsUnreadable, match=r"unable to open|disk I/O"):
        sqlite_rows(tmp_path)
