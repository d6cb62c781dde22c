"""Weights first, then in turns; the temperature falls; the end is straight."""

from __future__ import annotations

import numpy as np
import pytest

from automl import AutomlError
from automl.methods._turns import Turns

TURNS = Turns(
    1003, weights_first=0.1, weight_slice=5, logit_slice=3, temperature=5.0, last_temperature=0.5, straight_share=0.2
)


def test_the_first_tenth_is_on_weights_alone() -> None:
    assert next(step for step in range(1003) if TURNS.is_on_logits(step)) == 100


def test_steps_on_logits_are_counted_as_they_come() -> None:
    counted = np.cumsum([0, *(TURNS.is_on_logits(step) for step in range(1003))])
    assert [TURNS.logit_steps_before(step) for step in range(1004)] == counted.tolist()
    assert TURNS.weight_steps == 1003 - counted[-1]


def test_the_temperature_falls_by_the_same_factor_at_every_step() -> None:
    found = np.array([TURNS.temperature_at(step) for step in range(100, 1003)])
    assert found[[0, -1]] == pytest.approx([5.0, 0.5])
    np.testing.assert_allclose(found[1:] / found[:-1], 0.1 ** (1 / 902))


def test_the_last_fifth_is_straight_and_the_beginning_guarded() -> None:
    assert [TURNS.is_straight(step) for step in (801, 803, 1002)] == [False, True, True]
    assert [TURNS.is_guarded(step) for step in (0, 400, 401)] == [True, True, False]


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"steps": 0}, "'steps' must be at least 1, but is 0"),
        ({"weights_first": 1.5}, "'weights_first' is a share from 0 to 1, but is 1.5"),
        ({"last_temperature": 0.0}, "'last_temperature' must be above zero, but is 0.0"),
    ],
)
def test_its_rules_are_told(wrong: dict[str, float], message: str) -> None:
    with pytest.raises(AutomlError, match=message):
        Turns(**{"steps": 10, **wrong})  # type: ignore[arg-type]  # the rule is what is tested
