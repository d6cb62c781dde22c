"""A row of the matrix survives JSON, and says whether the fault cost anything."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from automl.bench.faults.finding import COLUMNS, Finding, table

GOOD = Finding(
    "a", "kill -9", trials=9, injected={"driver": 2, "worker": 1}, mirrored=9, compared=8, kinds={"crashed": 1}
)


def test_a_finding_survives_json() -> None:
    bad = replace(GOOD, wrong=("the search ended with code 2",), lost=1)
    for one in (GOOD, bad, replace(GOOD, skipped="no disk")):
        assert Finding.from_dict(json.loads(json.dumps(one.to_dict()))) == one


@pytest.mark.parametrize("count", ["lost", "doubled", "twice", "changed", "other"])
def test_one_trial_is_enough_to_break_a_promise(count: str) -> None:
    assert GOOD.verdict == "holds"
    broken = Finding.from_dict({**GOOD.to_dict(), count: 1})
    assert broken.verdict == "broken: see the counts"


def test_a_sentence_stands_in_the_verdict() -> None:
    assert replace(GOOD, wrong=("a driver stayed",)).verdict == "broken: a driver stayed"
    assert replace(GOOD, skipped="no disk").verdict == "skipped: no disk"


def test_the_table_has_a_line_a_row() -> None:
    head, _, line = table([GOOD]).splitlines()
    assert head == f"| {' | '.join(COLUMNS)} |"
    expected = (
        "a | kill -9 | 9 | 2 driver, 1 worker | 0 | 0 | 9, 0 twice | 0; 0 of 8 measured again | 1 crashed | holds"
    )
    assert line == f"| {expected} |"
