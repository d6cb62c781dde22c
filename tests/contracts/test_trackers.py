"""What every tracker promises, run over each module of the room."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from evaluators import Trial
from searchspaces import load_plugin, plugin_names
from storage import StudyReading, Summary, Tracker, TrackerError, Winner
from storage.stores.memory import MemoryStore
from tests.storage.samples import CRASH, OBJECTIVES, STUDY, begin, evaluation, record

ROOM = "storage.trackers"


@dataclass(frozen=True)
class Place:
    """Where a tracker shows trials, and how a test reads the numbers of the trials shown there."""

    options: Callable[[Path], dict[str, Any]]
    shown: Callable[[Path], list[int]]
    lose: Callable[[Path], None]


def _lines(folder: Path) -> list[int]:
    lines = map(json.loads, (folder / "trials.jsonl").read_text().splitlines())
    return [line["number"] for line in lines if "number" in line]


def _runs(folder: Path) -> list[int]:
    from storage.trackers.mlflow_run import trial_uids

    return [int(uid.rpartition("/")[2]) for uid in trial_uids(f"sqlite:///{folder}/mlflow.db", study=STUDY)]


def _lose_run(folder: Path) -> None:
    from storage.trackers._mlflow_connection import connect

    client = connect(f"sqlite:///{folder}/mlflow.db")
    (experiment,) = [one for one in client.search_experiments() if one.name == record().problem]
    for run in client.search_runs([experiment.experiment_id], f"tags.`study.name` = '{STUDY}'"):
        client.delete_run(run.info.run_id)


PLACES = {
    "jsonl": Place(
        lambda folder: {"path": folder / "trials.jsonl"}, _lines, lambda folder: (folder / "trials.jsonl").unlink()
    ),
    "mlflow": Place(lambda folder: {"uri": f"sqlite:///{folder}/mlflow.db"}, _runs, _lose_run),
}
RANKS = {0: {"pareto.rank": "1"}, 1: {"pareto.rank": "2"}}
SLOW = {"mlflow"}  # loading it and making its tables takes seconds


@dataclass
class Bench:
    """One tracker at work in a folder."""

    name: str
    folder: Path

    def make(self) -> Tracker:
        made: Tracker = load_plugin(ROOM, self.name)(**PLACES[self.name].options(self.folder))
        return made

    def shown(self) -> list[int]:
        return sorted(PLACES[self.name].shown(self.folder))

    def lose(self) -> None:
        PLACES[self.name].lose(self.folder)


@pytest.fixture(
    params=[pytest.param(name, marks=pytest.mark.slow if name in SLOW else ()) for name in plugin_names(ROOM)]
)
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    return Bench(request.param, tmp_path)


@pytest.fixture
def tracker(bench: Bench) -> Iterator[Tracker]:
    made = bench.make()
    yield made
    made.close()
    made.close()


@pytest.fixture
def trials() -> list[Trial]:
    """A complete, a pruned and a failed trial, in the order in which they ended."""
    store = MemoryStore()
    store.create_study(record())
    begin(store, 3)
    store.claim(STUDY, worker="w", limit=3, lease_seconds=60)
    return store.finish(STUDY, [(1, evaluation(0.8)), (0, evaluation(0.9, stopped_at=512)), (2, CRASH)])


def test_a_tracker_has_a_name_before_it_is_opened(tracker: Tracker, bench: Bench) -> None:
    assert tracker.name.startswith(f"{bench.name}:")
    assert str(bench.folder) in tracker.name


def test_a_tracker_must_be_opened_first(tracker: Tracker, trials: list[Trial]) -> None:
    with pytest.raises(TrackerError, match=r"open the tracker .* with a study before logging to it"):
        tracker.log(trials, {})
    with pytest.raises(TrackerError, match=r"open the tracker .* with a study before logging to it"):
        tracker.update([StudyReading("best/ne", 0.8, 1, 1.0)], {})
    with pytest.raises(TrackerError, match=r"open the tracker .* with a study before logging to it"):
        tracker.summarize(Summary("FINISHED", 1.0))


def test_every_promise_about_entries_is_kept(bench: Bench, trials: list[Trial], tmp_path: Path) -> None:
    """One test, as each new place costs MLflow seconds."""
    first = bench.make()
    entry = first.open(record())
    assert entry.startswith(f"{first.name}/")
    first.log(trials[:1], RANKS)
    first.log(trials[:2], RANKS)
    assert bench.shown() == [0, 1]
    first.close()
    again = bench.make()
    assert again.open(record()) == entry
    again.log(trials, RANKS)
    again.log(trials, RANKS)
    assert bench.shown() == [0, 1, 2]
    report = tmp_path / "report.html"
    report.write_text("<p>done</p>")
    summary = Summary("FINISHED", 2000.0, (report,), Winner(trials[0], OBJECTIVES[0]))
    for _ in range(2):
        again.update([StudyReading("best/ne", 0.8, 1, 1.0)], {0: {"pareto.rank": "2"}})
        again.summarize(summary)
    assert bench.shown() == [0, 1, 2]
    again.close()
    other = bench.make()
    assert other.open(record("other")) != entry
    other.close()
    bench.lose()
    late = bench.make()
    assert late.open(record()) != entry
    late.log(trials, RANKS)
    assert bench.shown() == [0, 1, 2]
    late.close()


def test_a_sync_fills_completes_and_then_changes_nothing(bench: Bench, trials: list[Trial]) -> None:
    summary = Summary("FINISHED", 2000.0)
    readings = [StudyReading("best/ne", 0.8, 1, 1.0)]

    def synced(shown: list[Trial]) -> tuple[int, int, int, str]:
        tracker = bench.make()
        done = tracker.sync(record(), shown, readings=readings, tags=RANKS, summary=summary)
        tracker.close()
        return done.created, done.corrected, done.unchanged, done.entry

    created, corrected, unchanged, entry = synced(trials[:2])
    assert ((created, corrected, unchanged), bench.shown()) == ((2, 0, 0), [0, 1])
    live = bench.make()
    assert live.open(record()) == entry
    live.update([], {1: {"pareto.rank": "5"}})
    live.close()
    assert synced(trials) == (1, 1, 1, entry)
    assert (synced(trials), bench.shown()) == ((0, 0, 3, entry), [0, 1, 2])
    bench.lose()
    assert (synced(trials)[2] < 3, bench.shown()) == (True, [0, 1, 2])
