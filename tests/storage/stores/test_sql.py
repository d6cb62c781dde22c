"""The database store beyond the contract: files, schemas, locks, processes, speed."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import create_engine

from evaluators import TrialState
from storage import StoreUnreadable
from storage.stores.sql import SqlStore, _migrations
from storage.stores.sql._migrations._run import scripts
from storage.stores.sql._models import METADATA
from tests.storage.samples import STUDY, begin, evaluation, finish_next, record, suggestion


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


def _execute(file: Path, statement: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(file)) as connection, connection:
        return connection.execute(statement).fetchall()


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
    _execute(file, "UPDATE trials SET fingerprint = 'v0:old'")
    assert store.trials(STUDY)[0].candidate.fingerprint == suggestion(0).candidate.fingerprint


def test_options_keep_their_types(store: SqlStore) -> None:
    begin(store, 1)
    found = store.trials(STUDY)[0].candidate.architecture
    assert found is not None
    assert [type(found.nodes[4].options[name]) for name in ("scale", "bias", "top")] == [float, bool, int]


def test_the_file_has_a_write_ahead_log_and_foreign_keys(store: SqlStore, file: Path) -> None:
    assert _execute(file, "PRAGMA journal_mode") == [("wal",)]
    with store._engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


@pytest.mark.parametrize("way", ["open", "upgrade"])
def test_a_file_whose_maker_died_gets_its_write_ahead_log_later(store: SqlStore, file: Path, way: str) -> None:
    store.close()
    assert _execute(file, "PRAGMA journal_mode = DELETE") == [("delete",)]
    if way == "open":
        _open(file).close()
    else:
        SqlStore.upgrade(store.url)
    assert _execute(file, "PRAGMA journal_mode") == [("wal",)]


def test_a_file_without_write_ahead_log_opens_where_it_cannot_get_one(store: SqlStore, file: Path) -> None:
    store.close()
    _execute(file, "PRAGMA journal_mode = DELETE")
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
    assert _execute(file, "PRAGMA journal_mode") == [("delete",)]


def test_the_migrations_lead_to_the_models(store: SqlStore, file: Path) -> None:
    engine = create_engine(f"sqlite:///{file}")
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": _migrations.VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []
    engine.dispose()


def test_the_known_versions_are_those_of_the_scripts() -> None:
    steps = [step.revision for step in scripts().walk_revisions()]
    assert list(reversed(steps)) == list(_migrations.VERSIONS)


def test_opening_a_current_file_leaves_alembic_alone(store: SqlStore, file: Path) -> None:
    code = f"import sys, storage; storage.open_store('sqlite:///{file}'); assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_older_schema_is_refused_until_it_is_upgraded(
    store: SqlStore, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_migrations, "VERSIONS", ("0001", "0002"))
    way_out = f"copy it, then run 'automl db upgrade --storage {store.url}'"
    reason = f"has the older schema 0001, and this release needs 0002; {way_out}"
    with pytest.raises(StoreUnreadable, match=re.escape(reason)):
        _open(file)
    SqlStore.upgrade(store.url)


def test_a_newer_schema_is_refused(store: SqlStore, file: Path) -> None:
    _execute(file, "UPDATE ctr_automl_version SET version_num = '9999'")
    reason = r"was written by a newer release: its schema is 9999, and this one knows up to 0001; install the newer"
    with pytest.raises(StoreUnreadable, match=reason):
        _open(file)
    with pytest.raises(StoreUnreadable, match=reason):
        SqlStore.upgrade(store.url)


def test_upgrading_makes_a_new_database_ready(file: Path) -> None:
    SqlStore.upgrade(f"sqlite:///{file}")
    store = _open(file)
    assert store.studies() == []
    store.close()


def test_the_database_of_another_program_is_left_alone(file: Path) -> None:
    _execute(file, "CREATE TABLE experiments (name TEXT)")
    with pytest.raises(StoreUnreadable, match=r"another program \(it has the table 'experiments'\); give the studies"):
        _open(file)
    assert _execute(file, "SELECT name FROM sqlite_master") == [("experiments",)]


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
        ((*_, step),) = _execute(file, plan.format(condition, order))
        assert str(step).startswith("SEARCH trials USING INDEX")


CLAIM_ALL = """
import json, sys
from evaluators import Evaluation, Metric
from storage import open_store
url, study, worker = sys.argv[1:]
store = open_store(url)
numbers = []
while trials := store.claim(study, worker=worker, limit=1, lease_seconds=60):
    numbers += [trial.number for trial in trials]
    store.finish(study, [(trial.number, Evaluation({"ne": Metric(0.5)})) for trial in trials])
store.close()
print(json.dumps(numbers))
"""
ANSWER = """
import json, sys
from evaluators import Suggestion
from searchspaces import Candidate
from storage import AskTakenError, open_store
url, study, _ = sys.argv[1:]
store = open_store(url)
wins = []
while (ask := store.asks(study)) < 50:
    try:
        store.begin(study, [Suggestion(Candidate())], ask_number=ask, stage="search")
        wins.append(ask)
    except AskTakenError:
        pass
store.close()
print(json.dumps(wins))
"""
CREATE = """
import sys
from storage import StudyRecord, open_store
url, _, name = sys.argv[1:]
store = open_store(url)
store.create_study(StudyRecord(name, name, 1, "problem", {}, 0.0))
store.close()
"""


def _run_four(code: str, url: str) -> list[str]:
    """Runs the code in four processes at once; what each wrote."""
    commands = [[sys.executable, "-c", code, url, STUDY, f"worker {number}"] for number in range(4)]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for command in commands]
    written = [one.communicate(timeout=60)[0] for one in running]
    assert [one.returncode for one in running] == [0, 0, 0, 0]
    return written


@pytest.mark.slow
def test_no_two_processes_claim_one_trial(store: SqlStore) -> None:
    store.begin(STUDY, [suggestion(number) for number in range(200)], ask_number=0, stage="search")
    claimed = [json.loads(line) for line in _run_four(CLAIM_ALL, store.url)]
    assert sorted(number for numbers in claimed for number in numbers) == list(range(200))
    trials = store.trials(STUDY, finished_after=0)
    assert [trial.finish_order for trial in trials] == list(range(1, 201))
    assert {trial.state for trial in trials} == {TrialState.COMPLETE}


@pytest.mark.slow
def test_of_processes_that_answer_one_ask_exactly_one_wins(store: SqlStore) -> None:
    won = [json.loads(line) for line in _run_four(ANSWER, store.url)]
    assert sorted(ask for wins in won for ask in wins) == list(range(50))
    assert [trial.ask_number for trial in store.trials(STUDY)] == list(range(50))


@pytest.mark.slow
def test_processes_that_open_a_new_file_at_once_make_it_ready_once(file: Path) -> None:
    _run_four(CREATE, f"sqlite:///{file}")
    store = _open(file)
    assert sorted(study.name for study in store.studies()) == [f"worker {number}" for number in range(4)]
    store.close()


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
