"""A disk without room: the call says so, nothing is half-written, and the study goes on once there is room."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import event

from storage import StoreUnavailable, StoreUnreadable
from storage.stores.sql import SqlStore
from tests.storage.samples import STUDY, begin, evaluation, record, suggestion
from tests.storage.stores.sql.databases import execute

FILL = """
import json, resource, sys
from storage import StoreUnavailable, open_store
from tests.storage.samples import STUDY, suggestion
url, limit = sys.argv[1:]
store = open_store(url)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), resource.RLIM_INFINITY))
begun, reason = 0, ""
while not reason:
    try:
        begun += len(store.begin(STUDY, [suggestion(at) for at in range(20)], ask_number=begun // 20, stage="search"))
    except StoreUnavailable as error:
        reason = str(error)
seen = [len(store.trials(STUDY)), store.asks(STUDY)]
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
begun += len(store.begin(STUDY, [suggestion()], ask_number=store.asks(STUDY), stage="search"))
store.close()
print(json.dumps({"begun": begun, "reason": reason, "seen": seen}))
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "store.db"


@pytest.fixture
def store(file: Path) -> Iterator[SqlStore]:
    made = SqlStore(f"sqlite:///{file}")
    made.create_study(record())
    yield made
    made.close()


def _fill(store: SqlStore) -> None:
    """Begins cohorts for ever."""
    while True:
        cohort = [suggestion(at) for at in range(9)]
        store.begin(STUDY, cohort, ask_number=store.asks(STUDY), stage="search", worker="w")


def test_a_full_disk_loses_nothing_and_the_study_goes_on(store: SqlStore, file: Path) -> None:
    limit = 40
    event.listen(store._engine, "begin", lambda one: one.exec_driver_sql(f"PRAGMA max_page_count = {limit}"))
    with pytest.raises(StoreUnavailable, match="no space is left for the file; make room, then resume: nothing was"):
        _fill(store)
    begun = 9 * store.asks(STUDY)
    assert begun > 0
    assert [trial.number for trial in store.trials(STUDY)] == list(range(begun))
    assert execute(file, "PRAGMA integrity_check") == [("ok",)]
    long = [(number, evaluation(0.5)) for number in range(begun)]
    with pytest.raises(StoreUnavailable, match="no space is left"):
        store.finish(STUDY, long, worker="w")
    assert store.trials(STUDY, finished_after=0) == []
    limit = 4000
    assert [one.finish_order for one in store.finish(STUDY, long, worker="w")] == list(range(1, begun + 1))
    assert begin_next(store) == begun


def begin_next(store: SqlStore) -> int:
    """The number of one trial more."""
    (trial,) = store.begin(STUDY, [suggestion()], ask_number=store.asks(STUDY), stage="search")
    return trial.number


@pytest.mark.slow
def test_a_file_system_that_refuses_to_write_loses_nothing(store: SqlStore, file: Path) -> None:
    store.close()
    limit = str(256 * 1024)
    done = subprocess.run([sys.executable, "-c", FILL, store.url, limit], stdout=subprocess.PIPE, text=True, check=True)
    found = json.loads(done.stdout)
    assert "the file cannot be written: the disk, its quota or the file system refuses; make room" in found["reason"]
    assert found["seen"] == [found["begun"] - 1, (found["begun"] - 1) // 20]
    assert [trial.number for trial in store.trials(STUDY)] == list(range(found["begun"]))
    assert execute(file, "PRAGMA integrity_check") == [("ok",)]


def test_a_new_store_without_room_is_not_left_half_made(file: Path) -> None:
    code = (
        "import resource, sys; from storage import open_store; import storage.stores.sql._migrations._run\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384)); open_store(sys.argv[1])"
    )
    url = f"sqlite:///{file}"
    done = subprocess.run([sys.executable, "-c", code, url], stderr=subprocess.PIPE, text=True, check=False)
    assert "StoreUnavailable" in done.stderr
    store = SqlStore(url)
    assert store.studies() == []
    store.close()


def test_a_damaged_file_is_refused_with_the_way_out(store: SqlStore, file: Path) -> None:
    begin(store, 40)
    store.close()
    content = bytearray(file.read_bytes())
    content[4096:] = b"\x7f" * (len(content) - 4096)
    file.write_bytes(content)
    with pytest.raises(StoreUnreadable, match="the file is damaged; put a copy in its place, or save"):
        SqlStore(store.url).trials(STUDY)
