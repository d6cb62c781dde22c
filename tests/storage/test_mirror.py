"""The mirror shows everything once and never stands in the way."""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from evaluators import Trial
from storage import Mirror, StudyReading, StudyRecord, Summary, Synced, Tags, Tracker, TrialStore, open_store
from storage import _mirror as _mirror_module
from storage.stores.memory import MemoryStore
from storage.trackers.jsonl import Jsonl
from tests.storage.samples import STUDY, Succession, begin, finish_next, record

NAME = "fake:http://ann:secret@host"


class FakeTracker:
    """Remembers what it is shown; raises `errors` first, then waits for `may_go_on`."""

    def __init__(self, *, errors: int = 0, entry: str = "fake/1") -> None:
        self.shown: list[int] = []
        self.batches: list[int] = []
        self.ended: list[str] = []
        self.steps: list[int] = []
        self.ranks: dict[int, int] = {}
        self.writes = 0
        self.threads: set[str] = set()
        self.errors = errors
        self.entry = entry
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.is_closed = False

    @property
    def name(self) -> str:
        return NAME

    def open(self, record: StudyRecord) -> str:
        self._visit()
        return self.entry

    def log(self, trials: Sequence[Trial], tags: Tags) -> None:
        self._visit()
        self.batches.append(len(trials))
        self.shown += [trial.number for trial in trials]
        self._set(tags)

    def update(self, readings: Sequence[StudyReading], tags: Tags) -> None:
        self._visit()
        self.steps += [reading.step for reading in readings]
        self._set(tags)

    def summarize(self, summary: Summary) -> None:
        self._visit()
        self.ended.append(summary.status)

    def sync(
        self,
        record: StudyRecord,
        trials: Sequence[Trial],
        *,
        readings: Sequence[StudyReading],
        tags: Tags,
        summary: Summary,
    ) -> Synced:
        raise NotImplementedError

    def close(self) -> None:
        self.is_closed = True

    def _set(self, tags: Tags) -> None:
        assert set(tags) <= set(self.shown)
        self.writes += len(tags)
        self.ranks |= {number: int(one["pareto.rank"]) for number, one in tags.items()}

    def _visit(self) -> None:
        self.threads.add(threading.current_thread().name)
        self.may_go_on.wait()
        if self.errors:
            self.errors -= 1
            raise ConnectionError("cannot reach http://ann:secret@host\nTraceback")


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore()
    made.create_study(record())
    return made


@pytest.fixture
def tracker() -> Iterator[FakeTracker]:
    made = FakeTracker()
    yield made
    made.may_go_on.set()


def _mirror(store: TrialStore, tracker: Tracker, poll_seconds: float = 0.01) -> Mirror:
    return Mirror(store, tracker, STUDY, Succession(), poll_seconds=poll_seconds)


def test_finished_trials_are_shown_in_the_order_in_which_they_ended(store: MemoryStore, tracker: FakeTracker) -> None:
    begin(store, 30)
    finish_next(store, 25)
    mirror = _mirror(store, tracker)
    mirror.start()
    assert mirror.drain(5)
    assert tracker.shown == list(range(25))
    assert max(tracker.batches) <= 20
    finish_next(store, 2)
    assert mirror.drain(5)
    assert tracker.shown == list(range(27))
    assert store.cursor(STUDY, tracker.entry) == 27
    mirror.stop()
    mirror.stop()
    assert (tracker.threads, tracker.is_closed) == ({"mirror"}, True)


def test_a_drained_mirror_is_drained_again_at_once(store: MemoryStore, tracker: FakeTracker) -> None:
    mirror = _mirror(store, tracker, poll_seconds=60)
    mirror.start()
    assert all(mirror.drain(5) for _ in range(3))
    mirror.stop()


def test_a_second_mirror_goes_on_where_the_first_one_stopped(store: MemoryStore, tracker: FakeTracker) -> None:
    begin(store, 3)
    for _ in range(3):
        finish_next(store)
        mirror = _mirror(store, tracker)
        mirror.start()
        assert mirror.drain(5)
        mirror.stop()
    assert tracker.shown == [0, 1, 2]


def test_a_tracker_that_lost_the_study_is_filled_from_the_start(store: MemoryStore, tracker: FakeTracker) -> None:
    begin(store, 2)
    finish_next(store, 2)
    for shown in (tracker, FakeTracker(entry="fake/2")):
        mirror = _mirror(store, shown)
        mirror.start()
        assert mirror.drain(5)
        mirror.stop()
        assert shown.shown == [0, 1]


def test_an_entry_that_was_lost_is_filled_though_its_first_mirror_died_at_once(
    store: MemoryStore, tmp_path: Path
) -> None:
    begin(store, 3)
    finish_next(store, 2)
    file = tmp_path / "trials.jsonl"
    for lost in (False, True):
        if lost:
            file.unlink()
            Jsonl(file).open(record())  # what a mirror leaves that is killed right after opening
            finish_next(store)
        mirror = _mirror(store, Jsonl(file))
        mirror.start()
        assert mirror.drain(5)
        mirror.stop()
    lines = map(json.loads, file.read_text().splitlines())
    assert [line["number"] for line in lines if "number" in line] == [0, 1, 2]


def test_a_tracker_that_raises_is_warned_about_once_and_tried_again(
    store: MemoryStore, caplog: pytest.LogCaptureFixture
) -> None:
    begin(store, 2)
    finish_next(store, 2)
    tracker = FakeTracker(errors=3)
    mirror = _mirror(store, tracker, poll_seconds=0.001)
    with caplog.at_level(logging.INFO, logger="automl"):
        mirror.start()
        assert mirror.drain(5)
    mirror.stop()
    assert tracker.shown == [0, 1]
    reason = "cannot reach http://ann:***@host"
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        (
            "WARNING",
            f"tracker fake:http://ann:***@host: {reason}; the search goes on, "
            "and its trials are shown once this works again",
        ),
        ("INFO", "tracker fake:http://ann:***@host works again"),
    ]


def test_a_tracker_that_hangs_is_left_behind(store: MemoryStore, tracker: FakeTracker) -> None:
    tracker.may_go_on.clear()
    begin(store, 1)
    finish_next(store)
    mirror = _mirror(store, tracker)
    mirror.start()
    assert mirror.drain(0.05) is False
    assert mirror.summarize(Summary("KILLED", 0.0), timeout_seconds=0.05) is False
    mirror.stop(timeout_seconds=0.05)
    assert store.cursor(STUDY, tracker.entry) == 0


def test_a_tracker_that_is_down_is_not_waited_for_long(
    store: MemoryStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_mirror_module, "PATIENCE_SECONDS", 0.1)
    begin(store, 1)
    finish_next(store)
    tracker = FakeTracker(errors=10**9)
    mirror = _mirror(store, tracker, poll_seconds=0.001)
    mirror.start()
    assert mirror.drain(60) is False
    assert mirror.drain(60) is False
    assert mirror.summarize(Summary("FINISHED", 0.0), timeout_seconds=60) is False
    assert caplog.text.count("gave up waiting") == 1
    tracker.errors = 0
    deadline = time.monotonic() + 10
    while not tracker.ended and time.monotonic() < deadline:
        time.sleep(0.01)
    assert mirror.drain(5)
    mirror.stop()
    assert (tracker.shown, tracker.ended) == ([0], ["FINISHED"])
    given_up = "tracker fake:http://ann:***@host: gave up waiting; a resume or a sync shows the rest"
    assert [one.getMessage() for one in caplog.records if "gave up" in one.getMessage()] == [given_up]


def test_a_tracker_that_has_failed_for_long_is_tried_often_once_it_is_waited_for(store: MemoryStore) -> None:
    begin(store, 5)
    finish_next(store, 5)
    tracker = FakeTracker(errors=11)
    mirror = _mirror(store, tracker, poll_seconds=0.001)
    mirror.start()
    while tracker.errors > 2:  # from here on a look comes each second
        time.sleep(0.001)
    assert mirror.drain(0.9)
    mirror.stop()
    assert (tracker.shown, tracker.batches) == ([0, 1, 2, 3, 4], [1, 4])


def test_a_slow_tracker_is_waited_for(
    store: MemoryStore, tracker: FakeTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_mirror_module, "PATIENCE_SECONDS", 0.01)
    tracker.may_go_on.clear()
    begin(store, 1)
    finish_next(store)
    mirror = _mirror(store, tracker)
    mirror.start()
    late = threading.Timer(0.3, tracker.may_go_on.set)
    late.start()
    assert mirror.drain(30)
    mirror.stop()
    late.join()


def test_the_summary_comes_after_the_trials(store: MemoryStore, tracker: FakeTracker) -> None:
    begin(store, 2)
    finish_next(store, 2)
    mirror = _mirror(store, tracker, poll_seconds=60)
    mirror.start()
    assert mirror.summarize(Summary("FINISHED", 0.0))
    mirror.stop()
    assert (tracker.shown, tracker.ended) == ([0, 1], ["FINISHED"])


def test_the_numbers_of_a_study_come_with_its_trials_and_once(store: MemoryStore, tracker: FakeTracker) -> None:
    begin(store, 50)
    for _ in range(2):
        finish_next(store, 25)
        mirror = _mirror(store, tracker)
        mirror.start()
        assert mirror.drain(5)
        mirror.stop()
    assert tracker.steps == list(range(1, 51))


def test_a_study_whose_numbers_could_not_be_written_gets_them_later(store: MemoryStore) -> None:
    begin(store, 3)
    finish_next(store, 3)
    tracker = FakeTracker()
    update, calls = tracker.update, []

    def failing(readings: Sequence[StudyReading], tags: Tags) -> None:
        calls.append(len(readings))
        if len(calls) == 1:
            raise ConnectionError("down")
        update(readings, tags)

    tracker.update = failing  # type: ignore[method-assign]
    mirror = _mirror(store, tracker, poll_seconds=0.001)
    mirror.start()
    assert mirror.drain(5)
    mirror.stop()
    assert (tracker.steps, sorted(set(tracker.shown))) == ([1, 2, 3], [0, 1, 2])
    assert tracker.ranks == {0: 3, 1: 2, 2: 1}


def test_changed_tags_are_complete_once_somebody_waits_and_cost_few_writes(
    store: MemoryStore, tracker: FakeTracker
) -> None:
    begin(store, 200)
    finish_next(store, 200)
    mirror = Mirror(store, tracker, STUDY, Succession(), poll_seconds=0.01, batch=1)
    mirror.start()
    assert mirror.drain(5)
    mirror.stop()
    assert tracker.ranks == {number: 200 - number for number in range(200)}
    assert tracker.writes < 4 * 200  # each trial as it comes, all when their number doubles, all at the end


def test_a_resumed_mirror_corrects_tags_of_trials_that_were_shown_before(
    store: MemoryStore, tracker: FakeTracker
) -> None:
    begin(store, 3)
    finish_next(store, 2)
    for _ in range(2):
        mirror = _mirror(store, tracker)
        mirror.start()
        assert mirror.drain(5)
        mirror.stop()
        finish_next(store)
    assert tracker.ranks == {0: 3, 1: 2, 2: 1}


KILLED_WHILE_MIRRORING = """
import os, signal, sys
from pathlib import Path
from storage import Mirror, open_store
from storage.trackers.jsonl import Jsonl
from tests.storage.samples import Succession
url, study, file, kind = sys.argv[1:]
if kind == "mlflow":
    from storage.trackers import mlflow_run
    tracker = mlflow_run.MlflowRun(file)
    count = 0
    from storage.trackers import _mlflow_connection as connection
    write = connection.write_artifact
    def killing(*arguments):
        global count
        count += 1
        if count == 4:
            os.kill(os.getpid(), signal.SIGKILL)
        write(*arguments)
    connection.write_artifact = killing
else:
    tracker = Jsonl(Path(file))
store = open_store(url)
class Killing:
    def __getattr__(self, name):
        return getattr(store, name)
    def move_cursor(self, study, reader, finish_order):
        if finish_order:
            os.kill(os.getpid(), signal.SIGKILL)
mirror = Mirror(Killing(), tracker, study, Succession())
mirror.start()
mirror.drain(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["jsonl", "mlflow"])
def test_a_killed_mirror_goes_on_without_doubles(tmp_path: Path, kind: str) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.db'}")
    store.create_study(record())
    begin(store, 8)
    finish_next(store, 8)
    place = f"sqlite:///{tmp_path / 'mlflow.db'}" if kind == "mlflow" else str(tmp_path / "trials.jsonl")
    command = [sys.executable, "-c", KILLED_WHILE_MIRRORING, f"sqlite:///{tmp_path / 'store.db'}", STUDY, place, kind]
    assert subprocess.run(command, timeout=120).returncode == -signal.SIGKILL
    tracker, shown = _again(kind, place)
    mirror = _mirror(store, tracker)
    mirror.start()
    assert mirror.drain(60)
    mirror.stop()
    store.close()
    assert sorted(shown()) == list(range(8))


def _again(kind: str, place: str) -> tuple[Tracker, Callable[[], list[int]]]:
    """The same tracker in this process, and how to read what it shows."""
    if kind == "jsonl":
        return Jsonl(Path(place)), lambda: [
            line["number"] for line in map(json.loads, Path(place).read_text().splitlines()) if "number" in line
        ]
    from storage.trackers.mlflow_run import MlflowRun, trial_uids

    return MlflowRun(place), lambda: [int(uid.rpartition("/")[2]) for uid in trial_uids(place, STUDY)]
