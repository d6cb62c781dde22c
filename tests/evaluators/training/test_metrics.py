"""Metrics against scikit-learn, closed forms and a hand-made table."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import log_loss, roc_auc_score

from evaluators import EvaluatorError
from evaluators._training.metrics import area_under_curve, entropy, probabilities, quality, row_losses


def _clicks(rows: int, seed: int) -> tuple[np.ndarray[tuple[int], np.dtype[np.float64]], ...]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1.0, 1.0, rows).round(1)  # rounded, so that there are ties
    labels = (rng.random(rows) < 1.0 / (1.0 + np.exp(-logits))).astype(np.float64)
    return logits, labels


@given(st.integers(0, 200))
def test_auc_and_log_loss_are_those_of_scikit_learn(seed: int) -> None:
    logits, labels = _clicks(300, seed)
    found = quality(logits, labels)
    assert found["auc"].value == pytest.approx(roc_auc_score(labels, logits), abs=1e-12)
    assert found["logloss"].value == pytest.approx(log_loss(labels, probabilities(logits)), abs=1e-12)


def test_equal_scores_have_an_auc_of_one_half() -> None:
    assert area_under_curve(np.zeros(7), np.array([0.0, 1, 0, 1, 1, 0, 0])) == 0.5


def test_auc_of_a_hand_made_table_counts_ties_half() -> None:
    # clicks 2, 3; others 1, 2: pairs 2>1, 2=2, 3>1, 3>2 give 3.5 of 4
    assert area_under_curve(np.array([2.0, 3, 1, 2]), np.array([1.0, 1, 0, 0])) == 3.5 / 4


def test_log_loss_stays_finite_where_the_probability_rounds_to_zero() -> None:
    assert row_losses(np.array([-1e4, 1e4]), np.array([1.0, 1.0])).tolist() == [1e4, 0.0]


def test_the_entropy_of_a_fair_coin_is_log_two_and_of_a_sure_thing_zero() -> None:
    assert entropy(0.5) == pytest.approx(math.log(2.0))
    assert (entropy(0.0), entropy(1.0)) == (0.0, 0.0)


def test_always_predicting_the_base_rate_has_ne_one_and_calibration_one() -> None:
    labels = np.array([1.0] * 20 + [0.0] * 80)
    found = quality(np.full(100, math.log(0.2 / 0.8)), labels)
    assert found["ne"].value == pytest.approx(1.0)
    assert found["calibration"].value == pytest.approx(1.0)


def test_predicting_twice_too_much_has_calibration_two() -> None:
    found = quality(np.full(100, math.log(0.4 / 0.6)), np.array([1.0] * 20 + [0.0] * 80))
    assert found["calibration"].value == pytest.approx(2.0)


def test_the_error_of_ne_is_its_spread_over_fresh_samples() -> None:
    samples = [quality(*_clicks(4000, seed))["ne"] for seed in range(200)]
    spread = np.std([one.value for one in samples])
    claimed = np.mean([one.stderr for one in samples if one.stderr is not None])
    assert claimed == pytest.approx(spread, rel=0.15)


def test_the_error_of_log_loss_on_one_row_blocks_is_that_of_a_mean() -> None:
    logits, labels = _clicks(50, 3)
    expected = row_losses(logits, labels).std(ddof=1) / math.sqrt(50)
    assert quality(logits, labels)["logloss"].stderr == pytest.approx(expected)


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_labels_of_one_class_are_refused(label: float) -> None:
    with pytest.raises(EvaluatorError, match=r"NE and AUC need rows of both classes, but 3 rows have base rate"):
        quality(np.zeros(3), np.full(3, label))
