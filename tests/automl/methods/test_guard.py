"""Which choices are light is told by costs; the guard holds them down, and collapse is seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from automl.methods._forks import Graphs, Prices
from automl.methods._guard import Guard
from automl.methods._relaxation import slices
from tests.automl.methods.dnas_parts import SCHEMA, SPACE, assignment

SLOTS = [one.slot for one in SPACE.decisions()]
OWN = slices(SPACE.decisions())[SLOTS.index("second.operator")]


@pytest.fixture
def guard() -> Guard:
    found = Guard(SPACE.decisions(), floor=0.4)
    start = assignment("cross", "linear")
    found.learn(
        [Graphs(SPACE).fork(start, SLOTS.index(one)) for one in ("second.operator", "first.rank")], Prices(SCHEMA)
    )
    return found


def logits(*second: float) -> np.ndarray:
    found = np.zeros(slices(SPACE.decisions())[-1].stop)
    found[OWN] = second
    return found


def test_a_light_choice_leaves_the_others_their_floor(guard: Guard) -> None:
    found, acts = guard.held(logits(5.0, 0.0, 0.0, 1.0))
    assert acts == 1
    shares = softmax(found[OWN])
    assert shares[0] == pytest.approx(0.6)
    np.testing.assert_allclose(shares[1:], 0.4 * softmax([0.0, 0.0, 1.0]))


def test_other_decisions_are_left_alone(guard: Guard) -> None:
    found, _ = guard.held(logits(5.0, 0.0, 0.0, 1.0))
    assert np.array_equal(np.delete(found, np.r_[OWN]), np.zeros(len(found) - 4))


def test_what_keeps_its_floor_is_not_touched(guard: Guard) -> None:
    given = logits(0.0, 3.0, 0.0, 0.0)
    found, acts = guard.held(given)
    assert acts == 0
    assert np.array_equal(found, given)


def test_a_decision_that_ends_at_a_light_choice_is_given_up(guard: Guard) -> None:
    assert guard.given_up(logits(1.0, 0.0, 0.0, 0.5)) == {"second.operator": "identity"}
    assert guard.given_up(logits(0.0, 0.0, 0.0, 0.5)) == {}


def test_before_any_fork_nothing_is_known_of_any_choice() -> None:
    fresh = Guard(SPACE.decisions(), floor=0.4)
    assert fresh.held(logits(9.0, 0.0, 0.0, 0.0))[1] == 0
    assert fresh.given_up(logits(9.0, 0.0, 0.0, 0.0)) == {}
