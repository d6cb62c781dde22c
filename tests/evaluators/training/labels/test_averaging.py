"""The average of weights that is made step by step."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators._training.labels.averaging import newest_share


def test_step_by_step_it_is_the_weighted_mean_of_all_models_so_far() -> None:
    models, rate, average = np.random.default_rng(1).normal(size=30), 0.93, 1e6
    for step, model in enumerate(models, start=1):
        average += newest_share(rate, step) * (model - average)
        weights = rate ** np.arange(step - 1, -1, -1)
        assert average == pytest.approx((weights * models[:step]).sum() / weights.sum())
