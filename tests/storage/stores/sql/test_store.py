"""The database store beyond the contract: what a file is, locks, what is read again."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from evaluators import TrialState
from storage import StoreUnreadable
from storage.stores.sql import SqlStore
from tests.storage.samples import STUDY, begin, evaluation, finish_next, record, suggestion
from tests.storage.stores.sql.databases import execute


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlStore]:
    made = _open(file)
    made.create_study(record())
    yield made
    made.close()


def _open(file: Path, options: str = "") -> SqlStore:
    return SqlStore(f"sqlite:///{file}{options}")


def test_a_study_survives_its_process(store: SqlStore, file: Path) -> None:
    begin(store, 3)
    finish_next(store, 2)
    store.close()
    again = _open(file)
    assert again.trials(STUDY) == store.trials(STUDY)
    assert (again.asks(STUDY), len(again.unfinished(STUDY))) == (3, 1)
    again.close()
    store.close()


def test_the_remembered_fingerprint_is_the_right_one(store: SqlStore) -> None:
    begin(store, 1)
    (trial,) = store.trials(STUDY)
    assert vars(trial.candidate)["fingerprint"] == suggestion(0).candidate.fingerprint


def test_a_fingerprint_of_another_version_is_computed_anew(store: SqlStore, file: Path) -> None:
    begin(store, 1)
    execute(file, "UPDATE trials SET fingerprint = 'v0:old'")
    assert store.trials(STUDY)[0].candidate.fingerprint == suggestion(0).candidate.fingerprint


def test_options_keep_their_types(store: SqlStore) -> None:
    begin(store, 1)
    found = store.trials(STUDY)[0].candidate.architecture
    assert found is not None
    assert [type(found.nodes[4].options[name]) for name in ("scale", "bias", "top")] == [float, bool, int]


def test_the_file_has_a_write_ahead_log_and_foreign_keys(store: SqlStore, file: Path) -> None:
    assert execute(file, "PRAGMA journal_mode") == [("wal",)]
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize("way", ["open", "upgrade"])
def test_a_file_whose_maker_died_gets_its_write_ahead_log_later(store: SqlStore, file: Path, way: str) -> None:
    store.close()
    assert execute(file, "PRAGMA journal_mode = DELETE") == [("delete",)]
    if way == "open":
        _open(file).close()
    else:
        SqlStore.upgrade(store.url)
    assert execute(file, "PRAGMA journal_mode") == [("wal",)]


def test_a_file_without_write_ahead_log_opens_where_it_cannot_get_one(store: SqlStore, file: Path) -> None:
    store.close()
    execute(file, "PRAGMA journal_mode = DELETE")
    reader = SqlStore(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert reader.studies() == [record()]
    reader.close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM studies").fetchall()
        late = _open(file)
        assert late.studies() == [record()]
        with late._engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 30_000
        late.close()
    assert execute(file, "PRAGMA journal_mode") == [("delete",)]


def test_a_file_that_is_no_database_is_refused(file: Path) -> None:
    file.write_text("rows: 1\n" * 100)
    with pytest.raises(StoreUnreadable, match=r"store\.db: the file is not a SQLite database; name another one"):
        _open(file)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadable, match=r"the folder .*/nowhere does not exist; create it, or name another file"):
        _open(tmp_path / "nowhere" / "store.db")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreadable, match="this is a folder; name a file in it"):
        _open(tmp_path)


def test_a_file_is_no_folder(file: Path) -> None:
    file.touch()
    with pytest.raises(StoreUnreadable, match=r"store\.db is not a folder; name another file"):
        _open(file / "inner.db")


def test_a_file_that_cannot_be_written_can_be_read(store: SqlStore, file: Path) -> None:
    begin(store, 1)
    store.close()
    reader = SqlStore(f"sqlite:///file:{file}?mode=ro&uri=true")
    assert len(reader.trials(STUDY)) == 1
    with pytest.raises(StoreUnreadable, match=f"no permission to write {file.parent}; change its permissions"):
        reader.claim(STUDY, worker="w", limit=1, lease_seconds=1)
    reader.close()


def test_a_lock_that_does_not_end_is_reported(store: SqlStore, file: Path) -> None:
    impatient = _open(file, "?timeout=0.05")
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnreadable, match="another process has held the database for too long; end it"):
            impatient.claim(STUDY, worker="w", limit=1, lease_seconds=1)
        assert impatient.trials(STUDY) == []
    assert impatient.claim(STUDY, worker="w", limit=1, lease_seconds=1) == []
    impatient.close()


def test_a_reader_does_not_wait_for_a_writer(store: SqlStore, file: Path) -> None:
    begin(store, 1)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert len(store.trials(STUDY)) == 1


def test_new_trials_for_a_reader_come_from_an_index(store: SqlStore, file: Path) -> None:
    plan = "EXPLAIN QUERY PLAN SELECT * FROM trials WHERE study_id = 1 AND {} ORDER BY {}"
    for condition, order in (("finish_order > 5", "finish_order"), ("state = 'WAITING'", "number")):
        ((*_, step),) = execute(file, plan.format(condition, order))
        assert str(step).startswith("SEARCH trials USING INDEX")


def test_a_finished_trial_is_read_from_the_database_once(store: SqlStore) -> None:
    begin(store, 3)
    finish_next(store, 2)
    first, second, waiting = store.trials(STUDY)
    finish_next(store)
    again = store.trials(STUDY)
    assert (again[0] is first, again[1] is second) == (True, True)
    assert (waiting.state, again[2].state) == (TrialState.WAITING, TrialState.COMPLETE)
    assert store.trials(STUDY, finished_after=1)[0] is second


def test_what_is_remembered_has_no_gaps(store: SqlStore, file: Path) -> None:
    begin(store, 4)
    store.finish(STUDY, [(3, evaluation()), (1, evaluation()), (0, evaluation())])
    assert [one.number for one in store.trials(STUDY, finished_after=2)] == [0]
    assert [one.number for one in store.trials(STUDY, finished_after=0)] == [3, 1, 0]
    other = _open(file)
    other.finish(STUDY, [(2, evaluation())])
    other.close()
    assert [one.number for one in store.trials(STUDY)] == [0, 1, 2, 3]
    assert [one.number for one in store.trials(STUDY, finished_after=0)] == [3, 1, 0, 2]
    assert store.trials(STUDY, finished_after=9) == []
