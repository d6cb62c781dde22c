"""The benchmark of spaces finds what is broken, and nothing where nothing is."""

from __future__ import annotations

import numpy as np
import pytest

from automl.bench.spaces import BrokenPromise, Plan, checked, spaces, wide_schema
from searchspaces import Assignment, Candidate, Options
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
        checked(space, candidate, wide_schema())


@pytest.mark.slow
@pytest.mark.parametrize("space", ["dhen", "wukong", "rankitect_scratch"])
def test_two_hundred_candidates_of_a_space_keep_all_promises(space: str) -> None:
    assert spaces(Plan(space, 200))["failed"] == 0
