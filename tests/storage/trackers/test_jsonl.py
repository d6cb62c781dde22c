"""Trials as lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from evaluators import Trial
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
    tracker.open(record(name), OBJECTIVES)
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
    _opened(file).log(trials)
    entry, first, failed, _ = map(json.loads, file.read_text().splitlines())
    assert (entry["study"], entry["study_name"], set(entry)) == (record().uid, STUDY, {"study", "study_name", "entry"})
    assert first["suggestion"] == suggestion(0).to_dict()
    assert first["evaluation"] == evaluation(0.8).to_dict()
    assert (first["state"], first["finish_order"], first["study"]) == ("COMPLETE", 1, record().uid)
    assert failed["failure"] == {"kind": "out_of_memory", "reason": CRASH.reason}


def test_a_torn_line_is_passed_over_and_written_again(file: Path, trials: list[Trial]) -> None:
    _opened(file).log(trials[:2])
    whole = file.read_text()
    file.write_text(whole[: len(whole) - 40])
    _opened(file).log(trials)
    assert _numbers(file) == [(STUDY, 0), (STUDY, 1), (STUDY, 2)]


def test_a_torn_first_line_begins_another_entry(file: Path, trials: list[Trial]) -> None:
    first = Jsonl(file).open(record(), OBJECTIVES)
    file.write_text(file.read_text()[:-5])
    again = Jsonl(file).open(record(), OBJECTIVES)
    assert (again != first, again) == (True, Jsonl(file).open(record(), OBJECTIVES))


def test_studies_share_a_file(file: Path, trials: list[Trial]) -> None:
    _opened(file).log(trials[:1])
    _opened(file, "other").log(trials[:1])
    _opened(file).log(trials[:1])
    assert _numbers(file) == [(STUDY, 0), ("other", 0)]


def test_the_end_of_a_study_is_a_line(file: Path) -> None:
    _opened(file).summarize(status="KILLED", metrics={"best/ne": 0.8}, files=[Path("report.html")])
    assert json.loads(file.read_text().splitlines()[-1]) == {
        "study": record().uid,
        "study_name": STUDY,
        "status": "KILLED",
        "metrics": {"best/ne": 0.8},
        "files": ["report.html"],
    }
