"""The benchmark of spaces finds what is broken, and nothing where nothing is."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from automl.bench import spaces as bench
from automl.bench.spaces import BrokenPromise, Plan, Progress, checked, every_space, spaces, wide_schema
from searchspaces import Assignment, Candidate, Options
from searchspaces.build import Outlines
from searchspaces.spaces.dhen import DHEN


class Forgetful(DHEN):
    """A space that loses settings on the way through its decisions."""

    def to_candidate(self, assignment: Assignment) -> Candidate:
        found = super().to_candidate(assignment)
        return Candidate(found.architecture, Options(found.training, rows=1))


def test_a_sound_space_has_no_failures() -> None:
    found = spaces(Plan("wukong", 5, options={"layers": 1, "mlp_widths": [16], "head_layers": 0}))
    assert found["candidates"] == 5
    assert found["different"] == 5
    assert found["failed"] == 0
    assert found["failures"] == []
    assert 0 < found["parameters"]["least"] <= found["parameters"]["most"]


def test_a_broken_promise_is_told() -> None:
    space = Forgetful(wide_schema(), layers=1, head_layers=0)
    candidate = space.sample(np.random.default_rng(0))
    with pytest.raises(BrokenPromise, match="its decisions lead to another fingerprint"):
        checked(space, candidate, wide_schema(), Outlines(wide_schema()))


def test_every_space_is_drawn_from_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    small = ("wukong", {"layers": 1, "mlp_widths": [16], "head_layers": 0})
    monkeypatch.setattr(bench, "EVERY", (small, ("table", {})))
    monkeypatch.setattr(bench, "ROWS", 4)
    kept = tmp_path / "kept.json"
    for found in every_space(2, kept=kept):
        kept.write_text(json.dumps(found), encoding="utf-8")
    assert [(one["space"], one["failed"]) for one in found["spaces"]] == [("wukong", 0), ("table", 0)]
    assert found["spaces"][1]["decisions"] == 1
    *_, again = every_space(2, kept=kept)
    assert again == found, "what is there is not measured again, or its seconds would differ"


def test_progress_is_told_each_half_a_minute() -> None:
    seconds = iter((0.0, 20.0, 40.0, 50.0))
    told: list[str] = []
    progress = Progress("dhen", 12, told.append, clock=lambda: next(seconds))
    for number in (1, 2, 3):
        progress.done(number)
    assert told == ["dhen: 2 of 12, 3 minutes left"]


@pytest.mark.slow
@pytest.mark.parametrize("space", ["dhen", "wukong", "rankitect_scratch"])
def test_two_hundred_candidates_of_a_space_keep_all_promises(space: str) -> None:
    assert spaces(Plan(space, 200))["failed"] == 0
