from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from automl._errors import AutomlError
from automl.fidelity import Labels, agreement, ceiling_of_tau, normal_scores, resamples
from automl.fidelity._agreement import FEWEST


def _noisy(
    truth: NDArray[np.float64], reliability: float, replicates: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    noise = math.sqrt(1 / reliability - 1)
    return truth[:, None] + noise * rng.standard_normal((len(truth), replicates))


def test_tau_is_that_of_the_mean_labels() -> None:
    rng = np.random.default_rng(1)
    one, other = rng.standard_normal((2, 20, 2))
    rung, full = Labels(one), Labels(other)
    found = agreement(rung, full, resamples(rung, full, count=50, rng=rng), confidence=0.9)
    expected = stats.kendalltau(one.mean(axis=1), other.mean(axis=1)).statistic
    assert found.tau == pytest.approx(expected)
    assert found.candidates == 20


def test_the_reliability_of_a_mean_is_hoyts_analysis_of_variance() -> None:
    # of values that are their own normal scores up to rounding, so that the classical formula applies
    rng = np.random.default_rng(2)
    truth = rng.standard_normal(4000)
    values = _noisy(truth, 0.6, 3, rng)
    rows, columns = values.mean(axis=1), values.mean(axis=0)
    residual = ((values - rows[:, None] - columns + values.mean()) ** 2).sum() / (3999 * 2)
    between = 3 * rows.var(ddof=1)
    assert Labels(values).reliability()[0] == pytest.approx(1 - residual / between, abs=0.01)


@pytest.mark.parametrize("reliability", [0.3, 0.75, 0.95])
def test_planted_reliabilities_are_found(reliability: float) -> None:
    rng = np.random.default_rng(3)
    truth = rng.standard_normal(2000)
    rung, full = Labels(_noisy(truth, reliability, 2, rng)), Labels(_noisy(truth, 0.5, 2, rng))
    found = agreement(rung, full, resamples(rung, full, count=10, rng=rng), confidence=0.9)
    assert found.rung_reliability == pytest.approx(reliability, abs=0.05)
    assert found.full_reliability == pytest.approx(0.5, abs=0.05)


def test_a_rung_with_the_true_order_reaches_its_ceiling() -> None:
    rng = np.random.default_rng(4)
    truth = rng.standard_normal(2000)
    rung, full = Labels(_noisy(truth, 0.4, 2, rng)), Labels(_noisy(truth, 0.7, 2, rng))
    found = agreement(rung, full, resamples(rung, full, count=10, rng=rng), confidence=0.9)
    assert found.share == pytest.approx(1.0, abs=0.05)
    assert found.tau < 0.6


def test_the_ceiling_is_the_tau_of_two_noisy_looks_at_one_order() -> None:
    rng = np.random.default_rng(5)
    truth = rng.standard_normal(3000)
    one, other = _noisy(truth, 0.8, 1, rng)[:, 0], _noisy(truth, 0.5, 1, rng)[:, 0]
    assert stats.kendalltau(one, other).statistic == pytest.approx(float(ceiling_of_tau(0.8, 0.5)), abs=0.03)


def test_what_all_candidates_of_a_replicate_share_is_no_noise() -> None:
    truth = np.random.default_rng(6).standard_normal(30)
    shifted = np.stack([truth, truth + 100.0], axis=1)
    assert Labels(shifted).reliability()[0] > 0.99  # ranks of rounded sums differ a little


def test_labels_without_any_order_have_no_ceiling() -> None:
    rng = np.random.default_rng(7)
    one = rng.standard_normal(40)
    rung, full = Labels(np.stack([one, -one], axis=1)), Labels(rng.standard_normal((40, 2)))
    found = agreement(rung, full, resamples(rung, full, count=10, rng=rng), confidence=0.9)
    assert (found.ceiling, found.share) == (0.0, None)


def test_equal_labels_have_no_reliability() -> None:
    assert Labels(np.ones((6, 2))).reliability()[0] == 0.0


def test_one_candidate_that_nearly_diverged_does_not_make_the_others_look_reliable() -> None:
    rng = np.random.default_rng(8)
    values = rng.standard_normal((30, 2))
    values[0] += 1e6
    assert Labels(values).reliability()[0] < 0.6


def test_a_single_replicate_takes_its_noise_from_the_standard_errors() -> None:
    values = np.arange(10.0)[:, None]  # of variance 55 / 6
    noise = Labels(values, np.full((10, 1), 1.5), between=1.0)
    assert noise.reliability()[0] == pytest.approx(1 - 3.25 / (55 / 6))


def test_the_interval_covers_the_true_tau_about_as_often_as_it_says() -> None:
    rng = np.random.default_rng(9)
    covered = 0
    for _ in range(100):
        truth = rng.standard_normal(24)
        rung, full = Labels(_noisy(truth, 0.6, 2, rng)), Labels(_noisy(truth, 0.6, 2, rng))
        found = agreement(rung, full, resamples(rung, full, count=200, rng=rng), confidence=0.9)
        covered += found.low <= 2 / math.pi * math.asin(0.75) <= found.high  # 0.75: of a mean of two
    assert 80 <= covered <= 100


def test_a_resample_of_every_candidate_once_is_the_estimate() -> None:
    rng = np.random.default_rng(10)
    values = _noisy(rng.standard_normal(500), 0.7, 2, rng)
    labels = Labels(values)
    once = labels.reliability(np.ones((1, 500), dtype=np.int64))
    assert once[0] == pytest.approx(labels.reliability()[0], abs=0.005)


def test_normal_scores_are_bloms_and_ties_share_theirs() -> None:
    ranks = np.array([1.0, 2.5, 2.5, 4.0])
    assert normal_scores([3, 7, 7, 9]) == pytest.approx(stats.norm.ppf((ranks - 0.375) / 4.25))


@pytest.mark.parametrize(
    ("losses", "stderr", "words"),
    [
        ([1.0, 2.0], None, "candidates, replicates"),
        ([[1.0, math.nan]], None, "some that are not"),
        ([[1.0], [2.0]], None, "noise shows between two replicates"),
        ([[1.0], [2.0]], [[0.1]], "needs a standard error"),
    ],
)
def test_labels_say_what_they_need(losses: list[object], stderr: list[object] | None, words: str) -> None:
    with pytest.raises(AutomlError, match=words):
        Labels(losses, stderr)  # type: ignore[arg-type]  # any nesting


def test_an_agreement_needs_the_same_candidates_and_enough_of_them() -> None:
    rng = np.random.default_rng(11)
    few = Labels(rng.standard_normal((FEWEST - 1, 2)))
    with pytest.raises(AutomlError, match="at least 6, but has 5 and 5"):
        resamples(few, few, count=5, rng=rng)
