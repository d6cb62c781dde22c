"""Hundreds of malformed inputs: each is told in a paragraph and changes nothing; what is odd but valid works."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from evaluators._datasets import read_dataset
from tests.end_to_end.malformed import (
    folders,
    mirrors,
    overrides,
    prepared,
    questions,
    stores,
    studies,
    tables,
    trainers,
    winners,
)
from tests.end_to_end.malformed.accepted import ACCEPTED, VALID
from tests.end_to_end.malformed.case import Case
from tests.end_to_end.malformed.place import execute
from tests.end_to_end.malformed.verdict import changes, complaints_of, snapshot

FAMILIES = {
    "studies": studies.CASES,
    "overrides": overrides.CASES,
    "tables": tables.CASES,
    "folders": folders.CASES,
    "prepared": prepared.CASES,
    "winners": winners.CASES,
    "trainers": trainers.CASES,
    "stores": stores.CASES,
    "mirrors": mirrors.CASES,
    "questions": questions.CASES,
}
CORPUS = [(f"{family}-{case.name}", case) for family, cases in FAMILIES.items() for case in cases]


@pytest.mark.parametrize("case", [pytest.param(case, id=name) for name, case in CORPUS])
def test_a_malformed_input_is_told_and_changes_nothing(case: Case, place: Path) -> None:
    case.spoil(place)
    before = snapshot(place)
    done = execute(case.command)
    assert complaints_of(case, done) == [], done.err
    assert changes(before, place) == [], done.err


@pytest.mark.parametrize("command", [pytest.param(one, id=" ".join(one)) for one in VALID])
def test_the_same_command_works_on_what_is_not_spoiled(command: tuple[str, ...], place: Path) -> None:
    done = execute(command)
    assert done.code == 0, done.err


@pytest.mark.parametrize("case", [pytest.param(case, id=case.name) for case in ACCEPTED])
def test_what_is_odd_but_valid_is_taken(case: Case, place: Path) -> None:
    case.spoil(place)
    done = execute(case.command)
    assert done.code == 0, done.err
    assert [name for name in case.names if name not in done.out + done.err] == []
    if (place / "made").exists():
        read_dataset(place / "made").verify()


def test_each_malformed_input_counts_once() -> None:
    assert [name for name, count in Counter(name for name, _ in CORPUS).items() if count > 1] == []
    assert len(CORPUS) >= 300
