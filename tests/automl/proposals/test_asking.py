from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np

from automl.proposals import Identity, in_turn, random_suggestion
from evaluators import Suggestion
from searchspaces import Options
from tests.automl._bitstrings import Bitstrings


def test_each_proposal_sees_those_before_it_and_one_that_is_not_found_ends_the_ask() -> None:
    space, rng = Bitstrings(8), np.random.default_rng(0)
    told = Suggestion(space.sample(rng)).identity
    seen: list[tuple[int, int]] = []

    def proposed(made: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
        seen.append((len(made), len(gone)))
        assert told in gone
        assert {one.identity for one in made} == set(gone) - {told}
        return random_suggestion(space, gone, rng) if len(made) < 3 else None

    taken = {told}
    suggestions = in_turn(5, taken, proposed)
    assert len({one.identity for one in suggestions}) == 3
    assert seen == [(0, 1), (1, 2), (2, 3), (3, 4)]
    assert taken == {told}


def test_nothing_is_proposed_where_nothing_is_asked_for() -> None:
    def proposed(_: Sequence[Suggestion], __: Set[Identity]) -> Suggestion | None:
        raise AssertionError

    assert in_turn(0, set(), proposed) == []


def test_a_random_suggestion_is_the_last_one_left_and_then_none() -> None:
    space, rng = Bitstrings(1), np.random.default_rng(0)
    first = random_suggestion(space, set(), rng, Options(descent=2))
    assert first is not None
    second = random_suggestion(space, {first.identity}, rng)
    assert second is not None
    assert (first.origin, first.memo, second.memo) == ("random", Options(descent=2), Options())
    assert random_suggestion(space, {first.identity, second.identity}, rng) is None
