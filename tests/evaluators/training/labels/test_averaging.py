"""The memory of averaged weights: its length, and the average it makes step by step."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluators import EvaluatorError
from evaluators._training.labels.averaging import HORIZON, decay, newest_share


@given(st.integers(80, 16_000))
def test_the_memory_is_the_same_share_of_every_training(steps: int) -> None:
    assert 1.0 / (1.0 - decay(steps)) == pytest.approx(HORIZON * steps)


def test_the_memory_is_neither_shorter_than_ten_steps_nor_longer_than_two_thousand() -> None:
    assert (decay(1), decay(79)) == (0.9, 0.9)
    assert decay(10**7) == 0.9995


def test_step_by_step_it_is_the_weighted_mean_of_all_models_so_far() -> None:
    models, rate, average = np.random.default_rng(1).normal(size=30), 0.93, 1e6
    for step, model in enumerate(models, start=1):
        average += newest_share(rate, step) * (model - average)
        weights = rate ** np.arange(step - 1, -1, -1)
        assert average == pytest.approx((weights * models[:step]).sum() / weights.sum())


def test_a_training_without_steps_is_refused() -> None:
    with pytest.raises(EvaluatorError, match="averaged weights need at least one step, but 0 are planned"):
        decay(0)
