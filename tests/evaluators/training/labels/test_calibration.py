"""The intercept that fits: closed form, hard logits, and brute force without each block."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators import EvaluatorError
from evaluators._training.labels.calibration import calibrated, calibrated_ne, intercept
from evaluators._training.metrics import normalised_entropy, probabilities, row_losses
from tests.evaluators.training.labels.made_up import Vector, clicks


def _rows(seed: int, count: int = 3000, scale: float = 1.0) -> tuple[Vector, Vector]:
    rng = np.random.default_rng(seed)
    logits = rng.normal(-1.5, scale, count)
    return logits, clicks(rng, logits)


def test_equal_logits_become_the_log_odds_of_the_base_rate() -> None:
    labels = np.array([1.0] + [0.0] * 9999)
    assert calibrated(np.full(10_000, 3.7), labels) == pytest.approx(math.log(1e-4 / (1 - 1e-4)), abs=1e-9)


@given(st.lists(st.tuples(st.floats(-1e4, 1e4), st.booleans()), min_size=2, max_size=60))
def test_mean_prediction_becomes_mean_label_for_any_finite_logits(rows: list[tuple[float, bool]]) -> None:
    logits, labels = np.array([s for s, _ in rows]), np.array([float(y) for _, y in rows])
    if 0.0 < labels.mean() < 1.0:
        assert probabilities(calibrated(logits, labels)).mean() == pytest.approx(labels.mean(), abs=1e-9)


@pytest.mark.parametrize("scale", [0.0, 1.0, 30.0, 1e4])
def test_a_base_rate_of_one_in_ten_thousand_is_met(scale: float) -> None:
    logits = np.random.default_rng(4).normal(0.0, 1.0, 20_000) * scale
    labels = np.zeros(20_000)
    labels[[5, 17]] = 1.0
    assert probabilities(calibrated(logits, labels)).mean() == pytest.approx(1e-4, rel=1e-6)


def test_adding_to_all_logits_changes_nothing() -> None:
    logits, labels = _rows(1)
    assert calibrated(logits + 250.0, labels) == pytest.approx(calibrated(logits, labels), abs=1e-9)


def test_no_other_intercept_has_a_smaller_loss() -> None:
    logits, labels = _rows(2)
    b = intercept(logits, labels)
    losses = [row_losses(logits + b + shift, labels).mean() for shift in (-1e-3, 0.0, 1e-3)]
    assert losses[1] < min(losses[0], losses[2])


def test_logits_that_fit_already_stay_as_they_are() -> None:
    assert intercept(np.array([-1e4, 1e4]), np.array([1.0, 0.0])) == 0.0


@pytest.mark.parametrize("scale", [0.3, 1.0, 5.0])
def test_the_loss_without_each_block_is_that_of_brute_force_refitting(scale: float) -> None:
    logits, labels = _rows(3, 1000, scale)
    found = calibrated_ne(logits + 0.8, labels, blocks=20)
    for block in range(20):
        rest = np.delete(np.arange(1000), slice(50 * block, 50 * block + 50))
        exact = normalised_entropy(row_losses(calibrated(logits[rest], labels[rest]), labels[rest]), labels[rest])
        assert found.left_out is not None
        assert found.left_out[block] == pytest.approx(exact.value, abs=1e-5)


def test_a_block_that_holds_all_the_uncertain_rows_is_refitted_in_full() -> None:
    logits = np.concatenate([np.full(10, 0.0), np.array([-60.0, 60.0] * 45)])
    labels = np.concatenate([np.ones(10), np.array([0.0, 1.0] * 45)])
    labels[50:52] = [1.0, 0.0]
    rest_logits, rest_labels = logits[10:], labels[10:]
    exact = normalised_entropy(row_losses(calibrated(rest_logits, rest_labels), rest_labels), rest_labels).value
    left_out = calibrated_ne(logits, labels, blocks=10).left_out
    assert left_out is not None
    assert left_out[0] == pytest.approx(exact, rel=1e-9)


def test_the_error_of_calibrated_ne_is_its_spread_over_fresh_samples() -> None:
    found = [calibrated_ne(*_rows(seed, 2000)).metric() for seed in range(200)]
    claimed = np.mean([one.stderr for one in found if one.stderr is not None])
    assert claimed == pytest.approx(np.std([one.value for one in found]), rel=0.15)


def test_one_class_has_no_intercept() -> None:
    with pytest.raises(EvaluatorError, match=r"an intercept needs rows of both classes, but 3 rows have base rate 1.0"):
        intercept(np.zeros(3), np.ones(3))


def test_a_logit_that_is_not_finite_is_refused() -> None:
    with pytest.raises(EvaluatorError, match="an intercept needs finite logits, but 1 of 2 are not"):
        intercept(np.array([np.inf, 0.0]), np.array([0.0, 1.0]))
