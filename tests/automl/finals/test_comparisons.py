from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from automl import AutomlError
from automl.finals import Comparison, crossed, holm, paired

DIFFERENCES = np.array([-0.0021, -0.0007, -0.0030, 0.0004, -0.0015])


def test_a_paired_comparison_is_scipys_t_test() -> None:
    found, reference = paired(DIFFERENCES), stats.ttest_1samp(DIFFERENCES, 0.0)
    assert found.p_value == pytest.approx(reference.pvalue)
    assert found.interval() == pytest.approx(tuple(reference.confidence_interval(0.95)))
    assert found.freedom == reference.df
    assert found.p_better == pytest.approx(stats.ttest_1samp(DIFFERENCES, 0.0, alternative="less").pvalue)


def test_equivalence_is_the_worse_of_two_one_sided_t_tests() -> None:
    sides = [
        stats.ttest_1samp(DIFFERENCES, bound, alternative=side).pvalue
        for bound, side in ((0.004, "less"), (-0.004, "greater"))
    ]
    assert paired(DIFFERENCES).equivalence_p(0.004) == pytest.approx(max(sides))


def test_an_effect_beyond_the_margin_is_never_equivalent() -> None:
    assert paired(DIFFERENCES).equivalence_p(0.001) > 0.5


def test_one_seed_has_no_noise_to_tell() -> None:
    with pytest.raises(AutomlError, match="at least 2 seeds to know their noise, but has 1"):
        paired(np.array([0.1]))


@pytest.mark.parametrize(("effect", "p", "equivalence"), [(0.0, 1.0, 0.0), (-0.1, 0.0, 1.0)])
def test_a_difference_without_noise_is_certain(effect: float, p: float, equivalence: float) -> None:
    found = Comparison(effect, 0.0, 4)
    assert (found.p_value, found.equivalence_p(0.01)) == (p, equivalence)


def test_holm_adjusts_as_in_a_hand_made_table() -> None:
    # sorted 0.005 0.011 0.02 0.04 times 4 3 2 1: 0.02 0.033 0.04 0.04
    assert holm([0.02, 0.005, 0.04, 0.011]) == pytest.approx([0.04, 0.02, 0.04, 0.033])


def test_holm_keeps_the_order_and_never_exceeds_one() -> None:
    assert holm([0.6, 0.01, 0.5]) == pytest.approx([1.0, 0.03, 1.0])


def test_one_day_gives_the_test_over_seeds() -> None:
    assert crossed(DIFFERENCES[:, None], np.ones(1)) == paired(DIFFERENCES)


def test_days_are_weighted_by_their_rows() -> None:
    table = np.array([[-0.01, 0.02], [-0.03, 0.04]])
    assert crossed(table, np.array([0.75, 0.25])).effect == pytest.approx(-0.0075)


def test_noise_of_days_widens_the_interval() -> None:
    table = DIFFERENCES[:, None] + np.array([-0.002, 0.0, 0.002])
    weights = np.full(3, 1 / 3)
    found = crossed(table, weights)
    of_days = np.var([-0.002, 0.0, 0.002], ddof=1) / 3
    assert found.stderr**2 == pytest.approx(paired(DIFFERENCES).stderr ** 2 + of_days)
    assert 2 < found.freedom < 6


def test_false_alarms_over_seeds_and_days_stay_below_their_level() -> None:
    rng = np.random.default_rng(5)
    weights = np.full(6, 1 / 6)
    alarms = [
        crossed(rng.normal(size=(5, 1)) + rng.normal(size=(1, 6)) + rng.normal(size=(5, 6)), weights).p_value < 0.05
        for _ in range(2000)
    ]
    assert np.mean(alarms) < 0.06
