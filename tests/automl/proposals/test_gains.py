from __future__ import annotations

import math

import numpy as np
import pytest

from automl.proposals import GainScale
from evaluators import Objective
from predictors import Prediction


def test_told_gains_are_standardised_and_larger_is_better() -> None:
    losses = np.array([0.9, 0.8, 1.0])
    gains = GainScale.of(losses, Objective("ne"), is_clipped=False).clipped_gains(losses)
    assert gains.mean() == pytest.approx(0.0)
    assert gains.std() == pytest.approx(1.0)
    assert np.argsort(gains).tolist() == [2, 0, 1]


def test_a_disaster_is_cut_off_and_a_failure_stands_there_too() -> None:
    losses = np.array([*np.linspace(0.8, 0.9, 39), 50.0, np.nan])
    gains = GainScale.of(losses, Objective("ne"), is_clipped=True).clipped_gains(losses)
    assert gains[-1] == gains[-2] == gains.min()
    assert gains[-2] == pytest.approx(gains[-3], abs=0.2)


def test_costs_are_compared_by_their_logarithm() -> None:
    scale = GainScale.of(np.array([10.0, 1000.0]), Objective("flops", bound=1000.0), is_clipped=False)
    np.testing.assert_allclose(scale.gains(np.array([10.0, 100.0, 1e4])), [1.0, 0.0, -2.0], atol=1e-12)
    assert scale.bound == pytest.approx(-1.0)


def test_a_bound_is_a_least_gain_and_without_one_everything_keeps_it() -> None:
    losses = np.array([-0.8, -0.6])  # of an AUC
    assert GainScale.of(losses, Objective("auc", bound=0.7), is_clipped=False).bound == pytest.approx(0.0)
    assert GainScale.of(losses, Objective("auc"), is_clipped=False).bound == -math.inf


@pytest.mark.parametrize(("metric", "is_log"), [("ne", False), ("flops", True)])
def test_predicted_gains_are_losses_again(metric: str, is_log: bool) -> None:
    losses = np.array([10.0, 100.0, 1000.0])
    scale = GainScale.of(losses, Objective(metric), is_clipped=False)
    step = 1e-5
    found = scale.losses(Prediction(scale.gains(losses), np.full(3, step)))
    assert scale.is_log is is_log
    np.testing.assert_allclose(found.mean, losses)
    np.testing.assert_allclose(
        scale.losses(Prediction(scale.gains(losses) - step, np.zeros(3))).mean - losses, found.std, rtol=1e-3
    )
