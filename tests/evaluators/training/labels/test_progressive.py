"""Progressive validation from sums of batches: the tail by hand, against rows, and its paired error."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators import EvaluatorError
from evaluators._training.labels.progressive import Batches, gain_curve, progressive_gain, progressive_ne
from evaluators._training.metrics import entropy, normalised_entropy
from tests.evaluators.training.labels.made_up import Vector


def _streams(seed: int, steps: int = 400, size: int = 64) -> tuple[Vector, Vector, Batches]:
    rng = np.random.default_rng(seed)
    clicks = rng.binomial(size, 0.2, steps).astype(np.float64)
    control = 0.5 * size + 1.2 * (clicks - 0.2 * size) + rng.normal(0.0, 2.0, steps)
    return control - 0.01 * size + rng.normal(0.0, 0.5, steps), control, Batches(np.full(steps, float(size)), clicks)


def test_only_whole_batches_in_the_last_half_of_the_rows_count() -> None:
    batches = Batches(np.array([4.0, 3.0, 2.0, 5.0]), np.array([4.0, 0.0, 1.0, 2.0]))
    losses = np.array([99.0, 2.0, 1.0, 3.0])
    assert batches.tail() == slice(2, 4)
    assert progressive_ne(losses, batches).value == pytest.approx(4.0 / 7.0 / entropy(3.0 / 7.0))


def test_a_pass_of_one_batch_is_its_own_tail() -> None:
    found = progressive_ne(np.array([5.0]), Batches(np.array([10.0]), np.array([2.0]))).metric()
    assert found.value == pytest.approx(0.5 / entropy(0.2))
    assert found.stderr is None


def test_batches_of_one_row_give_what_rows_give() -> None:
    rng = np.random.default_rng(5)
    losses, labels = rng.exponential(size=600), (rng.random(600) < 0.3).astype(np.float64)
    found = progressive_ne(losses, Batches(np.ones(600), labels)).metric()
    assert found == normalised_entropy(losses[300:], labels[300:]).metric()


def test_pairing_makes_the_error_smaller_and_right() -> None:
    gains = [progressive_gain(*_streams(seed)).metric() for seed in range(200)]
    claimed = float(np.mean([one.stderr for one in gains if one.stderr is not None]))
    losses, control, batches = _streams(0)
    single = [progressive_ne(one, batches).metric().stderr or 0.0 for one in (losses, control)]
    assert claimed == pytest.approx(np.std([one.value for one in gains]), rel=0.15)
    assert claimed < 0.5 * math.hypot(*single)


def test_a_better_candidate_gains() -> None:
    gain = progressive_gain(*_streams(1)).metric()
    assert gain.value == pytest.approx(0.01 / entropy(0.2), rel=0.3)


def test_the_mean_of_the_gain_curve_is_the_gain() -> None:
    losses, control, batches = _streams(2)
    curve = gain_curve(losses, control, batches, windows=8)
    assert curve.gains.mean() == pytest.approx(progressive_gain(losses, control, batches).value)


def test_windows_are_placed_at_the_middle_of_their_rows_in_logarithms() -> None:
    losses, control, batches = _streams(3, steps=8, size=10)
    curve = gain_curve(losses, control, batches, windows=2)
    assert curve.rows == pytest.approx([math.sqrt(40 * 60), math.sqrt(60 * 80)])
    assert gain_curve(losses, control, batches, share=1.0, windows=2).rows[0] == 20.0


def test_a_loss_for_each_batch_is_needed() -> None:
    with pytest.raises(EvaluatorError, match="a stream needs one loss for each batch, but has 1 for 2"):
        progressive_ne(np.ones(1), Batches(np.ones(2), np.zeros(2)))


def test_a_tail_of_one_class_has_no_ne() -> None:
    with pytest.raises(EvaluatorError, match="NE needs rows of both classes, but 2 rows have base rate 0"):
        progressive_ne(np.ones(4), Batches(np.ones(4), np.array([1.0, 1.0, 0.0, 0.0])))


def test_batches_without_rows_are_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"each batch needs rows and a number of clicks, .* the fewest rows 0"):
        Batches(np.array([3.0, 0.0]), np.zeros(2))
