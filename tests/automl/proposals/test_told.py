from __future__ import annotations

import numpy as np

from automl.proposals import prediction_memo
from predictors import Prediction


def test_a_prediction_is_told_by_its_place_with_that_of_further_objectives() -> None:
    quality = Prediction(np.array([0.9, 0.8]), np.array([0.1, 0.2]))
    speed = Prediction(np.array([10.0, 20.0]), np.array([1.0, 2.0]))
    assert prediction_memo(quality, 1, {"qps": speed}) == {
        "predicted": 0.8,
        "spread": 0.2,
        "predicted_qps": 20.0,
        "spread_qps": 2.0,
    }
