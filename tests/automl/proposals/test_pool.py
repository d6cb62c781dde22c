from __future__ import annotations

import numpy as np

from automl.proposals import Pool
from evaluators import Suggestion
from tests.automl._bitstrings import Bitstrings, finished

SPACE = Bitstrings(24)


def test_most_are_neighbours_some_are_further_and_the_rest_is_chance() -> None:
    rng = np.random.default_rng(0)
    parents = [finished(number, Suggestion(SPACE.sample(rng))) for number in range(3)]
    pool = Pool(40, parents).drawn(SPACE, set(), rng)
    assert [one.origin for one in pool] == ["mutation"] * 34 + ["random"] * 6
    distances = [
        int(np.abs(SPACE.encode(one.candidate) - SPACE.encode(parents[one.parents[0]].candidate)).sum())
        for one in pool[:34]
    ]
    assert set(distances[:28]) == {1}
    assert max(distances[28:]) > 1


def test_they_are_distinct_and_not_taken_and_all_of_a_small_space_where_it_runs_dry() -> None:
    space, rng = Bitstrings(4), np.random.default_rng(0)
    parent = finished(0, Suggestion(space.sample(rng)))
    pool = Pool(100, [parent]).drawn(space, {parent.suggestion.identity}, rng)
    assert len({one.identity for one in pool} | {parent.suggestion.identity}) == len(pool) + 1 == 16


def test_without_parents_all_is_chance() -> None:
    assert {one.origin for one in Pool(5, ()).drawn(SPACE, set(), np.random.default_rng(0))} == {"random"}
