"""A tracker that cannot show a study is told, and costs the search nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.end_to_end.malformed.place import execute

SEARCH = ("search", "study.yaml", "--set", "tracker={name: jsonl, path: trials.jsonl}")
LINES = {
    "noise": bytes(range(256)) * 4,
    "torn": b'{"study": "x", "num',
    "list": b"[1, 2]\n",
    "number": b"7\n",
    "deep": b"[" * 100_000 + b"\n",
    "empty": b"",
}


@pytest.mark.parametrize("kind", LINES)
def test_lines_that_are_none_stay_and_new_ones_follow(kind: str, place: Path) -> None:
    (place / "trials.jsonl").write_bytes(LINES[kind])
    done = execute(SEARCH)
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    written = (place / "trials.jsonl").read_bytes()
    assert written.startswith(LINES[kind])
    told = [json.loads(line) for line in written[len(LINES[kind]) :].splitlines() if line.startswith(b"{")]
    assert [line["number"] for line in told if "number" in line] == [0, 1, 2]


@pytest.mark.slow
@pytest.mark.parametrize("tracker", ["{name: jsonl, path: fields}", "{name: mlflow, uri: 'sqlite:///clicks.csv'}"])
def test_a_tracker_that_cannot_be_written_is_told_and_the_search_goes_on(tracker: str, place: Path) -> None:
    before = (place / "clicks.csv").read_bytes()
    done = execute(("search", "study.yaml", "--set", f"tracker={tracker}"))
    assert done.code == 0, done.err
    assert "Traceback" not in done.err
    assert (place / "clicks.csv").read_bytes() == before
    listed = execute(("trials", "fresh", "--format", "json"))
    assert [row["state"] for row in json.loads(listed.out)] == ["COMPLETE", "COMPLETE"]
