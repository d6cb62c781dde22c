"""Variance components against planted ones and against sums done by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from automl.bench.reliability.variance import (
    Measured,
    between,
    interval,
    rank_reliability,
    reliability,
    reliability_under_one_seed,
    resamples,
    share_of_truth,
    total,
    worth,
)

CANDIDATES, REPLICATES = 4000, 5


def _planted(*, own: float, noise: float, seed_effect: float, scale: float = 1.0) -> Measured:
    """Labels with these standard deviations of own quality, of noise of each half, and of what a seed adds to all."""
    rng = np.random.default_rng(1)
    quality = own * rng.standard_normal((CANDIDATES, 1))
    shared = seed_effect * np.array([-1.5, -0.5, 0.0, 0.5, 1.5]) / math.sqrt(1.25)
    run = 0.3 * rng.standard_normal((CANDIDATES, REPLICATES))  # the same on both halves: seeds, not rows
    halves = [
        scale * (quality + shared + run + noise * rng.standard_normal((CANDIDATES, REPLICATES))) for _ in range(2)
    ]
    return Measured(halves[0], halves[1], sum(halves) / 2)  # type: ignore[arg-type]  # a sum of arrays


def test_components_of_a_small_table_are_those_done_by_hand() -> None:
    label = np.array([[1.0, 2.0], [3.0, 6.0]])
    truth = np.array([[0.0, 1.0], [2.0, 2.0]])
    # centred: label [[-1, -2], [1, 2]], truth [[-1, -.5], [1, .5]]; (one, other) = 1, (other, one) = 4
    assert between(label, truth) == pytest.approx((1.0 + 4.0) / 2)
    # within 2 and 8; means 2 and 4 vary by 2, of which 5 / 2 follows from within
    assert total(label) == pytest.approx(5.0)


def test_planted_components_are_found() -> None:
    found = _planted(own=1.0, noise=0.4, seed_effect=0.5)
    assert between(found.half, found.other) == pytest.approx(1.0, rel=0.06)
    assert total(found.half) == pytest.approx(1.0 + 0.09 + 0.16 + 0.25, rel=0.06)
    assert reliability(found.half, found.other) == pytest.approx(1.0 / 1.5, abs=0.02)
    assert reliability_under_one_seed(found.half, found.other) == pytest.approx(1.0 / 1.25, abs=0.02)


def test_a_run_that_moves_both_halves_alike_is_noise() -> None:
    found = _planted(own=0.0, noise=0.0, seed_effect=0.0)
    assert reliability(found.half, found.other) == pytest.approx(0.0, abs=0.02)


def test_the_share_of_a_truth_on_another_scale_is_the_reliability() -> None:
    found, same = (_planted(own=1.0, noise=0.4, seed_effect=0.5, scale=scale) for scale in (1.0, 7.0))
    expected = reliability(found.half, found.other)
    assert share_of_truth(found, same) == pytest.approx(expected, abs=0.02)
    assert share_of_truth(Measured(-found.half, -found.other, -found.whole), same) == pytest.approx(-expected, abs=0.02)


def test_halves_on_which_candidates_differ_unlike_give_no_more_than_one() -> None:
    label = np.array([[1.0, 1.1], [2.0, 2.0], [3.0, 3.1]])
    assert reliability(label, 5.0 * label) == pytest.approx(reliability(label, label))
    assert reliability(label, label) <= 1.0


def test_one_candidate_far_away_does_not_decide_the_ranks() -> None:
    rng = np.random.default_rng(2)
    halves = [rng.standard_normal((40, REPLICATES)) for _ in range(2)]
    for half in halves:
        half[0] += 100.0
    assert reliability(*halves) > 0.95
    assert abs(rank_reliability(*halves)) < 0.25


def test_worth_is_the_spearman_brown_formula_turned_round() -> None:
    for naive in (0.1, 0.42, 0.9):
        for n in (0.5, 1.0, 3.2):
            assert worth(n * naive / (1 + (n - 1) * naive), naive) == pytest.approx(n)
    assert worth(0.5, 0.0) == math.inf
    assert worth(1.0, 0.5) == math.inf
    assert worth(-0.1, 0.5) == 0.0


def test_resamples_hold_enough_candidates_and_intervals_their_middle() -> None:
    drawn = resamples(4, 500, np.random.default_rng(1))
    assert all(len(set(row)) >= 3 for row in drawn)
    assert interval(np.arange(1001.0)) == [25.0, 975.0]
    assert interval(np.array([1.0, math.inf])) == [1.0, None]
