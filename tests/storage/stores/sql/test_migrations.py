"""Databases of every released schema open after an upgrade, and nothing else happens to them."""

from __future__ import annotations

import json
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, MetaData, create_engine, inspect, text

from storage import StoreUnreadable, upgrade_store
from storage.stores.sql import SqlStore, _migrations
from storage.stores.sql._migrations import _backup
from storage.stores.sql._migrations._run import run, scripts
from storage.stores.sql._models import METADATA
from storage.stores.sql._transactions import writing
from tests.storage.samples import STUDY, finish_next
from tests.storage.stores.sql.databases import KINDS, empty, execute, run_at_once
from tests.storage.stores.sql.fixture import content

FIXTURES = Path(__file__).parent / "fixtures"
OLDER = _migrations.VERSIONS[:-1]
TABLES = ("studies", "trials", "cursors")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture(params=KINDS)
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """The oldest schema with its content, on each kind of database."""
    made = create_engine(empty(request.param, tmp_path))
    _fill(made, "0001", tmp_path)
    yield made
    made.dispose()


def _load(file: Path, version: str) -> str:
    """Makes the file of a version; its URL."""
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript((FIXTURES / f"v{version}.sql").read_text())
    return f"sqlite:///{file}"


def _fill(engine: Engine, version: str, folder: Path) -> None:
    """Gives a database the tables and rows of a version."""
    if engine.dialect.name == "sqlite":
        _load(Path(str(engine.url.database)), version)
        return
    source = create_engine(_load(folder / "source.db", version))
    rows = MetaData()
    rows.reflect(source, only=TABLES)
    with writing(engine) as connection, source.connect() as reader:
        run(connection, _migrations.VERSION_TABLE, target=version)
        for name in TABLES:
            known = [dict(row) for row in reader.execute(rows.tables[name].select()).mappings()]
            connection.execute(rows.tables[name].insert(), known)
    source.dispose()


def _expected(version: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((FIXTURES / f"v{version}.json").read_text())
    return found


def _read(url: str) -> list[dict[str, Any]]:
    store = SqlStore(url)
    found: list[dict[str, Any]] = json.loads(json.dumps(content(store)))
    store.close()
    return found


def _without_news(now: Any, then: Any) -> Any:
    """What is there now, but for what the older release did not know."""
    if isinstance(now, Mapping) and isinstance(then, Mapping):
        return {key: _without_news(value, then[key]) for key, value in now.items() if key in then}
    if isinstance(now, Sequence) and isinstance(then, Sequence) and len(now) == len(then) and not isinstance(now, str):
        return [_without_news(*pair) for pair in zip(now, then, strict=True)]
    return now


def _schema(engine: Engine) -> tuple[str | None, list[str]]:
    with engine.connect() as connection:
        version = connection.execute(text(f"SELECT version_num FROM {_migrations.VERSION_TABLE}")).scalar()
        return version, [one["name"] for one in inspect(connection).get_columns("trials")]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("version", _migrations.VERSIONS)
def test_a_database_of_every_version_opens_after_an_upgrade(version: str, kind: str, tmp_path: Path) -> None:
    made = create_engine(empty(kind, tmp_path))
    _fill(made, version, tmp_path)
    url = made.url.render_as_string(hide_password=False)
    made.dispose()
    upgrade_store(url)
    assert _without_news(_read(url), _expected(version)) == _expected(version)


def test_the_newest_fixture_is_what_this_release_writes(tmp_path: Path) -> None:
    assert _read(_load(tmp_path / "a.db", _migrations.VERSIONS[-1])) == _expected(_migrations.VERSIONS[-1])


def test_a_fixture_has_trials_in_every_state(file: Path) -> None:
    for version in _migrations.VERSIONS:
        states = {trial["state"] for study in _expected(version) for trial in study["trials"]}
        assert states == {"WAITING", "RUNNING", "COMPLETE", "PRUNED", "FAIL"}


def test_an_upgraded_study_goes_on(file: Path) -> None:
    url = _load(file, "0001")
    upgrade_store(url)
    store = SqlStore(url)
    assert store.requeue_lost(STUDY) == 1
    assert [trial.losses for trial in store.unfinished(STUDY)] == [1, 0, 0, 0]
    assert [trial.finish_order for trial in finish_next(store, 2)] == [8, 9]
    store.close()


def test_the_migrations_lead_to_the_models(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    upgrade_store(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": _migrations.VERSION_TABLE})
        assert compare_metadata(context, METADATA) == []


def test_the_known_versions_are_those_of_the_scripts() -> None:
    steps = [step.revision for step in scripts().walk_revisions()]
    assert list(reversed(steps)) == list(_migrations.VERSIONS)


def test_opening_a_current_file_leaves_alembic_alone(file: Path) -> None:
    SqlStore(f"sqlite:///{file}").close()
    code = f"import sys, storage; storage.open_store('sqlite:///{file}'); assert 'alembic' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("version", OLDER)
def test_an_older_schema_is_refused_until_it_is_upgraded(version: str, file: Path) -> None:
    url = _load(file, version)
    way_out = f"run 'automl db upgrade --storage {url}'"
    reason = f"{url} has the older schema {version}, and this release needs {_migrations.VERSIONS[-1]}; {way_out}"
    with pytest.raises(StoreUnreadable, match=re.escape(reason) + "$"):
        SqlStore(url)


def test_before_a_server_is_upgraded_a_backup_is_advised(engine: Engine) -> None:
    if engine.dialect.name == "sqlite":
        return
    with pytest.raises(StoreUnreadable, match=r"db upgrade --storage .*' after a backup, for instance by pg_dump"):
        SqlStore(engine.url.render_as_string(hide_password=False))


def test_a_newer_schema_is_refused(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {_migrations.VERSION_TABLE} SET version_num = '9999'"))
    newest = _migrations.VERSIONS[-1]
    reason = f"was written by a newer release: its schema is 9999, and this one knows up to {newest}; install the newer"
    for refused in (SqlStore, SqlStore.upgrade):
        with pytest.raises(StoreUnreadable, match=reason):
            refused(url)
    assert _schema(engine)[0] == "9999"


@pytest.mark.parametrize("kind", KINDS)
def test_upgrading_makes_a_new_database_ready(kind: str, tmp_path: Path) -> None:
    url = empty(kind, tmp_path)
    if kind == "sqlite":
        (tmp_path / "store.db").touch()
    assert SqlStore.upgrade(url) is None
    assert _read(url) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_database_of_another_program_is_left_alone(kind: str, tmp_path: Path) -> None:
    url = empty(kind, tmp_path)
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE experiments (name TEXT)"))
    for refused in (SqlStore, SqlStore.upgrade):
        with pytest.raises(StoreUnreadable, match=r"another program \(it has the table 'experiments'\); give"):
            refused(url)
    assert inspect(engine).get_table_names() == ["experiments"]
    engine.dispose()


def test_a_file_is_copied_before_its_schema_changes(file: Path) -> None:
    url = _load(file, "0001")
    file.chmod(0o600)
    copy = upgrade_store(url)
    assert copy == file.with_name("store.schema-0001.db")
    assert execute(copy, "SELECT version_num FROM ctr_automl_version") == [("0001",)]
    assert execute(copy, "SELECT count(*) FROM trials") == execute(file, "SELECT count(*) FROM trials")
    assert copy.stat().st_mode & 0o777 == 0o600
    assert upgrade_store(url) is None
    assert sorted(path.name for path in file.parent.glob("*.db*")) == ["store.db", "store.schema-0001.db"]


def test_an_earlier_copy_is_never_replaced(file: Path) -> None:
    earlier = file.with_name("store.schema-0001.db")
    earlier.write_text("mine")
    assert upgrade_store(_load(file, "0001")) == file.with_name("store.schema-0001.1.db")
    assert earlier.read_text() == "mine"


def test_without_room_for_the_copy_nothing_changes(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = _load(file, "0001")

    def full(source: Path, target: Path) -> None:
        target.write_text("half")
        raise OSError("No space left on device")

    monkeypatch.setattr(_backup, "_copy", full)
    way_out = r"cannot be written \(No space left on device\); make room for 0 MiB beside it, and upgrade again: n"
    with pytest.raises(StoreUnreadable, match=way_out):
        upgrade_store(url)
    assert execute(file, "SELECT version_num FROM ctr_automl_version") == [("0001",)]
    assert [path.name for path in file.parent.iterdir()] == ["store.db"]


def test_nothing_is_upgraded_under_a_running_search(engine: Engine) -> None:
    reason = (
        r"no store is upgraded under a running search, but worker host-b/7/9\.25/3 holds a trial for 55 more seconds; "
        "end it, or if it is dead wait that long, then upgrade again"
    )
    with pytest.raises(StoreUnreadable, match=reason):
        _migrations.upgrade(engine, now=1010)
    assert (_schema(engine)[0], "losses" in _schema(engine)[1]) == ("0001", False)


@pytest.mark.parametrize("now", [400, 1066])
def test_a_trial_that_a_person_holds_and_a_dead_worker_stop_no_upgrade(engine: Engine, now: float) -> None:
    _migrations.upgrade(engine, now=now)
    assert _schema(engine)[0] == _migrations.VERSIONS[-1]


KILLED = """
import os, signal, sys
from alembic import op
from storage import upgrade_store
added = op.add_column
def add_and_die(*arguments):
    added(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
op.add_column = add_and_die
upgrade_store(sys.argv[1])
"""
UPGRADE = """
import sys
from storage import upgrade_store
print(upgrade_store(sys.argv[1]) or "")
"""


@pytest.mark.slow
def test_an_upgrade_that_is_killed_in_the_middle_has_changed_nothing(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    killed = subprocess.run([sys.executable, "-c", KILLED, url], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert (_schema(engine)[0], "losses" in _schema(engine)[1]) == ("0001", False)
    upgrade_store(url)
    assert _without_news(_read(url), _expected("0001")) == _expected("0001")


@pytest.mark.slow
def test_of_processes_that_upgrade_at_once_one_does_it(engine: Engine) -> None:
    url = engine.url.render_as_string(hide_password=False)
    written = [line.strip() for line in run_at_once(UPGRADE, url)]
    copies = [line for line in written if line]
    assert len(copies) == (1 if engine.dialect.name == "sqlite" else 0)
    assert _schema(engine)[0] == _migrations.VERSIONS[-1]
    assert _without_news(_read(url), _expected("0001")) == _expected("0001")
