"""The space of two places keeps what every space promises, and its planted order is what the target pays for."""

from __future__ import annotations

import numpy as np
import pytest

from automl.bench.dnas.chain_space import chain_space, crosses
from automl.bench.dnas.measure import FIELDS, PLANTED_CROSSES, TARGET_MACS, WORLD
from searchspaces import Architecture, Candidate, CandidateError, Choice, FeatureSchema, Node
from searchspaces.cost import cost

SPACE = chain_space(FIELDS)
SCHEMA = FeatureSchema(WORLD(seed=1).fields)


def candidate(first: str, second: str, *, ranks: tuple[int, int] = (16, 16), shortcut: bool = False) -> Candidate:
    chosen: dict[str, Choice] = {"first.operator": first, "first.rank": ranks[0], "second.operator": second}
    return SPACE.to_candidate({**chosen, "second.rank": ranks[1], "second.shortcut": shortcut})


def macs(one: Candidate) -> int:
    assert one.architecture is not None
    return cost(one.architecture, SCHEMA).macs


def test_candidates_come_back_from_their_decisions() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        one = SPACE.sample(rng)
        assert SPACE.to_candidate(SPACE.to_assignment(one)).fingerprint == one.fingerprint
        assert SPACE.mutate(one, rng).fingerprint != one.fingerprint


def test_a_stranger_is_none_of_them() -> None:
    with pytest.raises(CandidateError, match="operators in a row"):
        SPACE.to_assignment(Candidate(Architecture((Node("frequency"), Node("logit", (0,))))))


def test_the_target_is_that_of_the_planted_order_and_of_a_decoy_without_it() -> None:
    planted, decoy = candidate("cross", "cross"), candidate("cross", "identity", ranks=(32, 16))
    assert macs(planted) == macs(decoy) == TARGET_MACS
    assert crosses(planted) == PLANTED_CROSSES > crosses(decoy)


def test_a_shortcut_costs_what_the_wider_input_does() -> None:
    assert macs(candidate("cross", "linear", shortcut=True)) == macs(candidate("cross", "linear")) + 48 * 48


def test_what_is_planted_is_beyond_pairs() -> None:
    world = WORLD(seed=1)
    assert world.truth.ne(world.bounds()["best of order 2"]) > world.truth.ne(world.truth.log_odds) + 0.1
