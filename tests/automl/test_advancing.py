"""What a person sees while a method runs."""

from __future__ import annotations

from automl._checkpoint import Advance
from automl.cli._advancing import AdvanceLine


def line_by(*times: float) -> AdvanceLine:
    clock = iter(times)
    return AdvanceLine("one_shot", clock=lambda: next(clock))


def test_the_time_left_is_by_the_pace_of_the_phase_in_this_process() -> None:
    line = line_by(100.0, 110.0, 111.0, 113.0)
    assert line.of(Advance("training", 10, 40, "reward +0.10 %")) == "one_shot: training 10/40, reward +0.10 %"
    assert line.of(Advance("training", 20, 40)) == "one_shot: training 20/40, 20 s left"
    assert line.of(Advance("scoring", 1, 4)) == "one_shot: scoring 1/4"
    assert line.of(Advance("scoring", 2, 4)) == "one_shot: scoring 2/4, 4 s left"


def test_a_line_is_due_now_and_then_and_at_the_end_of_a_phase() -> None:
    line = line_by(0.0, 1.0, 6.0, 7.0)
    asked = (Advance("training", at, 4) for at in (1, 2, 3, 4))
    assert [line.is_due(one) for one in asked] == [True, False, True, True]
