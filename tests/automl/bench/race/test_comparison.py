"""Duels: effect, interval and tests against closed forms and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from automl.bench.race.comparison import a12, band, corrected, duel, ratio_of_means, signed_rank_p


def _two(count: int = 60, shift: float = 0.1) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    luck = rng.random(count)
    return luck + 0.01 * rng.random(count), luck + shift


def test_a_small_difference_on_equal_seeds_is_seen() -> None:
    one, other = _two()
    found = duel(("a", "b"), "regret", one, other)
    assert found.p_value < 1e-6
    assert found.a12 == pytest.approx(np.mean((one[:, None] < other[None]) + 0.5 * (one[:, None] == other[None])))


def test_the_p_value_is_scipys() -> None:
    one, other = _two(30, 0.003)
    expected = stats.wilcoxon(one, other, zero_method="pratt", method="asymptotic").pvalue
    assert signed_rank_p(one - other) == pytest.approx(expected)


def test_ties_and_single_seeds_prove_nothing() -> None:
    assert signed_rank_p(np.zeros(10)) == 1.0
    assert signed_rank_p(np.array([0.3])) == 1.0


def test_a12_is_the_mann_whitney_statistic() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.integers(0, 9, 40).astype(float), rng.integers(2, 11, 30).astype(float)
    expected = stats.mannwhitneyu(other, one).statistic / (40 * 30)
    assert a12(one, other) == pytest.approx(expected)


def test_the_interval_of_a_ratio_holds_the_truth_in_most_worlds() -> None:
    held = 0
    for world in range(40):
        rng = np.random.default_rng(world)
        one, other = rng.exponential(1.0, 80), rng.exponential(2.0, 80)
        _, low, high = ratio_of_means(one, other, seed=world)
        assert low is not None
        assert high is not None
        held += low <= 0.5 <= high
    assert 34 <= held <= 40


def test_a_ratio_over_nothing_is_none() -> None:
    assert ratio_of_means(np.ones(3), np.zeros(3), seed=0) == (None, None, None)


def test_a_band_is_the_mean_with_about_two_standard_errors() -> None:
    values = np.random.default_rng(2).normal(5.0, 1.0, (200, 3))
    mean, low, high = band(values)
    assert mean == pytest.approx(values.mean(axis=0))
    assert (high - low) / 2 == pytest.approx(1.96 / np.sqrt(200) * values.std(axis=0), rel=0.15)


def test_holm_corrects_within_each_score() -> None:
    one, other = _two(20, 0.003)
    found = corrected(
        [duel(("a", name), "regret", one, other) for name in "bcd"] + [duel(("a", "b"), "volume", one, other)]
    )
    assert [round(duel.p_holm / duel.p_value, 6) for duel in found] == [3.0, 3.0, 3.0, 1.0]
