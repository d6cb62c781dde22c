from __future__ import annotations

from automl.fidelity import Ladder, rung_name
from evaluators import Fidelity
from tests.automl.fidelity.ladders import LADDER


def test_full_training_is_rung_zero_and_cheaper_rungs_count_down() -> None:
    assert [one.rung for one in LADDER.fidelities] == [-2, -1, 0]
    assert LADDER.full == Fidelity()
    assert LADDER.full.is_full
    assert not any(one.is_full for one in LADDER.cheap)


def test_a_rung_keeps_the_settings_that_override_the_evaluators() -> None:
    assert [dict(one.settings) for one in LADDER.fidelities] == [{"rows": 10}, {"rows": 100}, {}]


def test_the_last_rung_may_override_settings_too() -> None:
    assert dict(Ladder.of([{"passes": 1}, {"passes": 2}]).full.settings) == {"passes": 2}


def test_a_rung_is_named_with_its_settings() -> None:
    assert rung_name(LADDER.cheap[0]) == "rung -2 (rows 10)"
    assert rung_name(LADDER.full) == "rung 0"
