from __future__ import annotations

import numpy as np
import pytest

from automl import StudyError
from automl.finals import Kind, Scores, compare_finalists, judge, sentence

WHOLE = np.ones(1)
NOISE = np.array([-0.0004, 0.0001, 0.0003, 0.0002, -0.0002])
LUCK = np.array([0.003, -0.002, 0.001, 0.0, -0.002])
"""What a seed does to every model alike."""


def scores(name: str, ne: float, *, is_baseline: bool = False, valid: float | None = None, turn: int = 0) -> Scores:
    test = ne + LUCK + np.roll(NOISE, turn)
    return Scores(name, is_baseline, test if valid is None else np.full(5, valid), test[:, None])


BASELINE = scores("deepfm", 0.85, is_baseline=True)


def test_a_clearly_better_finalist_is_a_winner() -> None:
    found = judge([scores("a", 0.846, turn=1), scores("b", 0.849, turn=2), BASELINE], WHOLE)
    assert (found.kind, found.chosen, found.reference) == (Kind.WINNER, "a", "deepfm")
    assert found.judged.percent == pytest.approx(-0.47, abs=0.01)
    assert set(found.against) == {"a", "b"}


def test_equal_models_tie_where_the_noise_is_small_against_the_margin() -> None:
    assert judge([scores("a", 0.85, turn=1), BASELINE], WHOLE).kind is Kind.TIE


def test_a_difference_within_the_margin_is_a_tie_even_if_it_is_none_by_chance() -> None:
    better = Scores("a", False, BASELINE.valid - 0.0001, BASELINE.test - 0.0001)
    assert judge([better, BASELINE], WHOLE).kind is Kind.TIE


def test_equal_models_are_not_proven_where_the_margin_is_narrow() -> None:
    assert judge([scores("a", 0.85, turn=1), BASELINE], WHOLE, margin_percent=0.01).kind is Kind.NOT_PROVEN


def test_a_worse_finalist_is_no_winner() -> None:
    assert judge([scores("a", 0.855, turn=1), BASELINE], WHOLE).kind is Kind.NOT_PROVEN


def test_finalist_and_baseline_are_chosen_on_valid_alone() -> None:
    entrants = [
        scores("better on test", 0.80, valid=0.86),
        scores("better on valid", 0.849, valid=0.84, turn=1),
        scores("human, better on test", 0.81, is_baseline=True, valid=0.87),
        scores("human, better on valid", 0.85, is_baseline=True, valid=0.85, turn=2),
    ]
    found = judge(entrants, WHOLE)
    assert (found.chosen, found.reference) == ("better on valid", "human, better on valid")


def test_more_finalists_raise_the_bar() -> None:
    few = [scores("a", 0.8485, turn=1), BASELINE]
    many = [*few, *(scores(f"also {turn}", 0.8499, turn=turn) for turn in (2, 3, 4))]
    assert judge(many, WHOLE).judged.adjusted_p == pytest.approx(4 * judge(few, WHOLE).judged.adjusted_p)


def test_without_baselines_the_second_best_finalist_stands_in() -> None:
    found = judge([scores("b", 0.85, turn=1), scores("a", 0.846), scores("c", 0.86, turn=2)], WHOLE)
    assert (found.chosen, found.reference, found.family) == ("a", "b", 3)


def test_finalists_are_compared_with_each_other_in_a_family_of_their_own() -> None:
    found = compare_finalists(
        [scores("b", 0.849), scores("a", 0.846, turn=1), BASELINE, scores("c", 0.85, turn=2)], WHOLE
    )
    assert set(found) == {("a", "b"), ("a", "c"), ("b", "c")}
    assert found["a", "b"].adjusted_p == pytest.approx(2 * found["a", "b"].comparison.p_value)


def test_a_winners_interval_is_on_its_side() -> None:
    kinds = set()
    for gap in np.arange(0.0, 0.002, 0.00002):
        found = judge([scores("a", 0.85 - gap, turn=1), scores("b", 0.846, valid=0.9), BASELINE], WHOLE)
        kinds.add(found.kind)
        assert found.kind is not Kind.WINNER or found.judged.percent_interval[1] < 0.0
    assert kinds >= {Kind.WINNER, Kind.TIE}


@pytest.mark.parametrize("entrants", [[], [BASELINE], [scores("a", 0.85)], [BASELINE, BASELINE]])
def test_nothing_to_compare_is_refused(entrants: list[Scores]) -> None:
    with pytest.raises(StudyError, match="finals compare a finalist with something"):
        judge(entrants, WHOLE)


def test_a_verdict_is_one_sentence_with_effect_and_interval() -> None:
    told = sentence(judge([scores("a", 0.846, turn=1), BASELINE], WHOLE), seeds=5)
    assert told.startswith("winner: a is 0.47 % better than deepfm (95 % interval -0.5")
    assert "after correction for 1 comparison, over 5 seeds" in told


def test_what_is_not_proven_says_how_many_seeds_would_do() -> None:
    told = sentence(judge([scores("a", 0.8499, turn=1), BASELINE], WHOLE, margin_percent=0.01), seeds=5)
    assert told.startswith("not proven: a is 0.01 % better")
    assert "seeds would prove a difference of this size" in told
