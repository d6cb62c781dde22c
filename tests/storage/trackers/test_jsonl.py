"""Trials as lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evaluators import Trial
from storage import StudyReading, Summary, Synced, Tags, Winner
from storage.stores.memory import MemoryStore
from storage.trackers.jsonl import Jsonl
from tests.storage.samples import CRASH, OBJECTIVES, STUDY, begin, evaluation, record, suggestion


@pytest.fixture
def trials() -> list[Trial]:
    store = MemoryStore()
    store.create_study(record())
    begin(store, 3)
    return store.finish(STUDY, [(0, evaluation(0.8)), (1, CRASH), (2, evaluation(0.7))])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "new" / "trials.jsonl"


def _opened(file: Path, name: str = STUDY) -> Jsonl:
    tracker = Jsonl(file)
    tracker.open(record(name))
    return tracker


def _numbers(file: Path) -> list[tuple[str, int]]:
    found = []
    for text in file.read_text().splitlines():
        try:
            line = json.loads(text)
        except json.JSONDecodeError:
            continue
        if "number" in line:
            found.append((line["study_name"], line["number"]))
    return found


def test_a_line_holds_the_whole_trial(file: Path, trials: list[Trial]) -> None:
    _opened(file).log(trials, {})
    entry, first, failed, _ = map(json.loads, file.read_text().splitlines())
    assert (entry["study"], entry["study_name"], set(entry)) == (record().uid, STUDY, {"study", "study_name", "entry"})
    assert first["suggestion"] == suggestion(0).to_dict()
    assert first["evaluation"] == evaluation(0.8).to_dict()
    assert (first["state"], first["finish_order"], first["study"]) == ("COMPLETE", 1, record().uid)
    assert failed["failure"] == {"kind": "out_of_memory", "reason": CRASH.reason}


def test_a_torn_line_is_passed_over_and_written_again(file: Path, trials: list[Trial]) -> None:
    _opened(file).log(trials[:2], {})
    whole = file.read_text()
    file.write_text(whole[: len(whole) - 40])
    _opened(file).log(trials, {})
    assert _numbers(file) == [(STUDY, 0), (STUDY, 1), (STUDY, 2)]


def test_a_torn_first_line_begins_another_entry(file: Path, trials: list[Trial]) -> None:
    first = Jsonl(file).open(record())
    file.write_text(file.read_text()[:-5])
    again = Jsonl(file).open(record())
    assert (again != first, again) == (True, Jsonl(file).open(record()))


def test_studies_share_a_file(file: Path, trials: list[Trial]) -> None:
    _opened(file).log(trials[:1], {})
    _opened(file, "other").log(trials[:1], {})
    _opened(file).log(trials[:1], {})
    assert _numbers(file) == [(STUDY, 0), ("other", 0)]


def _of_study(file: Path, key: str) -> list[Any]:
    return [line[key] for line in map(json.loads, file.read_text().splitlines()) if key in line]


def test_the_end_of_a_study_is_a_line(file: Path, trials: list[Trial]) -> None:
    winner = Winner(trials[2], OBJECTIVES[0])
    _opened(file).summarize(Summary("KILLED", 1000.0, (Path("a/report.html"),), winner))
    assert json.loads(file.read_text().splitlines()[-1]) == {
        "study": record().uid,
        "study_name": STUDY,
        "status": "KILLED",
        "files": ["report.html"],
        "winner": 2,
    }


def test_numbers_of_the_study_are_lines_by_step_and_come_once(file: Path) -> None:
    readings = [StudyReading("best/ne", 0.8, 1, 5.0), StudyReading("cost/rows", 9.0, 1, 5.0)]
    for _ in range(2):
        _opened(file).update([*readings, StudyReading("best/ne", 0.7, 2, 6.0)], {})
    assert _of_study(file, "metrics") == [{"best/ne": 0.8, "cost/rows": 9.0}, {"best/ne": 0.7}]
    assert _of_study(file, "step") == [1, 2]


def test_tags_are_lines_of_what_has_changed(file: Path, trials: list[Trial]) -> None:
    for ranks in ({0: "1", 1: "2"}, {0: "1", 1: "2"}, {0: "2", 1: "2"}):
        tracker = _opened(file)
        tracker.log(trials[:1], {0: {"pareto.rank": ranks[0]}})
        tracker.update([], {1: {"pareto.rank": ranks[1]}})
    assert _of_study(file, "tags") == [
        {"0": {"pareto.rank": "1"}},
        {"1": {"pareto.rank": "2"}},
        {"0": {"pareto.rank": "2"}},
    ]


def _synced(file: Path, trials: list[Trial], tags: Tags | None = None) -> Synced:
    return Jsonl(file).sync(record(), trials, readings=[], tags=tags or {}, summary=Summary("FINISHED", 1.0))


def test_a_sync_takes_out_doubled_and_wrong_lines_of_its_study_alone(file: Path, trials: list[Trial]) -> None:
    _opened(file).log(trials[:1], {})
    _opened(file, "other").log(trials[:2], {})
    line = file.read_text().splitlines()[1]
    wrong = json.dumps({**json.loads(line), "number": 1, "state": "RUNNING"})
    stranger = json.dumps({**json.loads(line), "number": 9})
    file.write_text(file.read_text() + f"{line}\n{wrong}\n{stranger}\n" + line[:40])
    found = _synced(file, trials)
    assert (found.created, found.replaced, found.unchanged, found.doubles, found.strangers) == (1, 1, 1, 1, 1)
    assert sorted(_numbers(file)) == [(STUDY, 0), (STUDY, 1), (STUDY, 2), (STUDY, 9), ("other", 0), ("other", 1)]
    after = file.read_text()
    assert (_synced(file, trials).unchanged, file.read_text()) == (3, after)


def test_a_sync_takes_away_tags_that_are_no_more(file: Path, trials: list[Trial]) -> None:
    _opened(file).log(trials, {0: {"pareto.rank": "1"}, 1: {"pareto.rank": "2"}})
    found = _synced(file, trials, {0: {"pareto.rank": "1"}})
    assert (found.corrected, found.unchanged) == (1, 2)
    assert _of_study(file, "tags")[-1] == {"1": {}}
    assert not _synced(file, trials, {0: {"pareto.rank": "1"}}).is_changed
