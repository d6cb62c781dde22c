from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from automl import StudyError
from automl.finals import Relation, Scores, compare_baselines, standings_sentence

WHOLE = np.ones(1)
NOISE = np.array([-0.0004, 0.0001, 0.0003, 0.0002, -0.0002])
LUCK = np.array([0.003, -0.002, 0.001, 0.0, -0.002])


def scores(name: str, ne: float, *, valid: float, turn: int = 0) -> Scores:
    return Scores(name, True, np.full(5, valid), (ne + LUCK + np.roll(NOISE, turn))[:, None])


BEST = scores("best on valid", 0.85, valid=0.83)
OTHERS = [
    scores("worse", 0.856, valid=0.84, turn=1),
    scores("better on test", 0.845, valid=0.85, turn=2),
    scores("unclear", 0.8512, valid=0.86, turn=3),
    scores("alike", 0.8500001, valid=0.87),
]


def test_each_baseline_is_compared_with_the_best_on_valid_whatever_test_says() -> None:
    found = compare_baselines([*OTHERS, BEST], WHOLE)
    assert found.reference == "best on valid"
    assert found.relations == {
        "worse": Relation.WORSE,
        "better on test": Relation.BETTER,
        "unclear": Relation.WORSE,
        "alike": Relation.ALIKE,
    }


def test_p_is_two_sided_and_corrected_for_the_others() -> None:
    found = compare_baselines([BEST, *OTHERS[:2]], WHOLE).against
    raw = [float(stats.ttest_rel(one.test[:, 0], BEST.test[:, 0]).pvalue) for one in OTHERS[:2]]
    least = min(raw)
    expected = [2 * least if p == least else max(p, 2 * least) for p in raw]
    assert [found[one.name].adjusted_p for one in OTHERS[:2]] == pytest.approx(expected)


def test_a_small_difference_is_not_proven_where_the_margin_is_narrow() -> None:
    near = scores("near", 0.8501, valid=0.84, turn=2)
    assert compare_baselines([BEST, near], WHOLE, margin_percent=0.01).relations == {"near": Relation.NOT_PROVEN}


def test_standings_call_nobody_a_winner() -> None:
    told = standings_sentence(compare_baselines([BEST, *OTHERS], WHOLE), seeds=5)
    assert told == (
        "compared: best on valid is the best of 5 baselines on valid (nothing was searched); against it on test, over "
        "5 seeds, no difference (±0.1 %): alike; better: better on test; worse: worse and unclear"
    )


def test_one_baseline_has_nothing_to_be_compared_with() -> None:
    with pytest.raises(StudyError, match="at least two baselines, but there are 1"):
        compare_baselines([BEST], WHOLE)
