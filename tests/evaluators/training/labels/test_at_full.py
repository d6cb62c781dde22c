"""Gains carried on from a short training to the full rows."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators import Metric
from evaluators._training.labels.at_full import LEAST_STEPS, gains_at_full
from evaluators._training.labels.progressive import Batches
from evaluators._training.metrics import entropy

STEPS, BATCH = 400, 100.0
BATCHES = Batches(np.full(STEPS, BATCH), np.full(STEPS, 0.3 * BATCH))
ROWS = np.cumsum(BATCHES.rows)
CONTROL = np.full(STEPS, 60.0)


def test_a_gain_that_grows_with_log_rows_is_carried_on() -> None:
    # in units of NE the gain of a batch is 0.01 log(rows)
    losses = CONTROL - BATCH * entropy(0.3) * 0.01 * np.log(ROWS)
    found = gains_at_full(Metric(0.08, 0.001), losses, CONTROL, BATCHES, full_rows=4.0 * ROWS[-1])
    assert found["ne_gain_slope"].value == pytest.approx(0.08 + 0.01 * math.log(4.0), rel=2e-3)
    assert found["ne_gain_power"].value == pytest.approx(0.01 * math.log(4.0 * ROWS[-1]), rel=2e-3)


def test_a_full_training_keeps_its_gain() -> None:
    noise = np.random.default_rng(1).normal(size=STEPS)
    found = gains_at_full(Metric(0.08, 0.001), CONTROL + noise, CONTROL, BATCHES, full_rows=ROWS[-1])
    assert found["ne_gain_slope"] == Metric(0.08, 0.001)


def test_the_error_grows_with_the_reach() -> None:
    noise = np.random.default_rng(2).normal(size=STEPS)
    errors = [
        gains_at_full(Metric(0.08, 0.001), CONTROL + noise, CONTROL, BATCHES, full_rows=reach * ROWS[-1])[
            "ne_gain_slope"
        ].stderr
        for reach in (1.0, 2.0, 8.0)
    ]
    assert errors[0] == 0.001
    assert errors[0] < errors[1] < errors[2]  # type: ignore[operator]


def test_a_training_of_few_steps_tells_nothing() -> None:
    few = Batches(BATCHES.rows[: LEAST_STEPS - 1], BATCHES.clicks[: LEAST_STEPS - 1])
    losses = CONTROL[: LEAST_STEPS - 1]
    assert gains_at_full(Metric(0.0), losses, losses, few, full_rows=1e9) == {}
