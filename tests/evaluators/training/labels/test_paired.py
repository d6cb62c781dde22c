"""Paired gains: sign, size of the error against the unpaired one, coverage on correlated rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators import EvaluatorError
from evaluators._training.labels.paired import calibrated_ne_gain, ne_gain
from evaluators._training.metrics import entropy, normalised_entropy, row_losses
from tests.evaluators.training.labels.made_up import Vector, ar1, clicks


def _two_models(seed: int, rows: int = 2500) -> tuple[Vector, Vector, Vector]:
    """Logits of candidate and control and the labels; what they miss is alike among neighbours."""
    rng = np.random.default_rng(seed)
    truth = -1.5 + ar1(rng, (rows,), 0.8)
    apart = 0.4 * ar1(rng, (2, rows), 0.8)
    return truth + apart[0], truth + 1.5 * apart[1], clicks(rng, truth)


def test_the_gain_is_the_ne_of_the_control_less_that_of_the_candidate() -> None:
    labels = np.array([1.0, 0.0, 0.0, 0.0])
    gain = ne_gain(np.full(4, 0.2), np.full(4, 0.3), labels)
    assert gain.value == pytest.approx(0.1 / entropy(0.25))


def test_a_model_gains_nothing_on_itself_and_surely_so() -> None:
    losses = np.random.default_rng(1).exponential(size=500)
    gain = ne_gain(losses, losses, clicks(np.random.default_rng(2), np.zeros(500)))
    assert (gain.value, gain.stderr) == (0.0, 0.0)


def test_the_error_by_hand_lets_the_entropy_move_with_the_block() -> None:
    losses, control = np.array([0.2, 0.4, 0.1, 0.3, 0.6, 0.5]), np.array([0.3, 0.3, 0.4, 0.2, 0.9, 0.5])
    labels = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 0.0])
    left = []
    for one in range(3):
        rest = np.delete(np.arange(6), [2 * one, 2 * one + 1])
        left.append((control[rest] - losses[rest]).mean() / entropy(float(labels[rest].mean())))
    expected = math.sqrt(2 / 3 * sum((one - np.mean(left)) ** 2 for one in left))
    assert ne_gain(losses, control, labels, blocks=3).stderr == pytest.approx(expected)


@pytest.mark.parametrize("gain", [ne_gain, calibrated_ne_gain])
def test_pairing_makes_the_error_smaller_than_that_of_two_samples(gain: object) -> None:
    candidate, control, labels = _two_models(3)
    losses = row_losses(candidate, labels), row_losses(control, labels)
    found = ne_gain(*losses, labels) if gain is ne_gain else calibrated_ne_gain(candidate, control, labels)
    single = [normalised_entropy(one, labels).metric().stderr for one in losses]
    assert found.stderr is not None
    assert found.stderr < 0.5 * math.hypot(*(one for one in single if one is not None))


@pytest.mark.parametrize("is_calibrated", [False, True])
def test_intervals_on_rows_that_are_alike_in_the_neighbourhood_cover_the_truth(is_calibrated: bool) -> None:
    found = []
    for seed in range(120):
        candidate, control, labels = _two_models(seed)
        losses = row_losses(candidate, labels), row_losses(control, labels)
        found.append(calibrated_ne_gain(candidate, control, labels) if is_calibrated else ne_gain(*losses, labels))
    truth = float(np.mean([one.value for one in found]))
    covered = np.mean([abs(one.value - truth) <= 2.01 * (one.stderr or 0.0) for one in found])
    assert truth > 0.0
    assert 0.90 <= covered <= 0.99


@pytest.mark.parametrize("gain", [ne_gain, calibrated_ne_gain])
def test_other_rows_are_refused(gain: object) -> None:
    measure = ne_gain if gain is ne_gain else calibrated_ne_gain
    with pytest.raises(EvaluatorError, match=r"a paired difference needs the same rows, but .* have 2, 3 and 3"):
        measure(np.zeros(2), np.zeros(3), np.array([0.0, 1.0, 0.0]))
