"""What is predicted of a suggestion before it is tried, as its memo says it: one form for all searchers.

`predicted` and `spread` are the mean and deviation of the guide's loss, smaller is better, in whatever unit the guide
has. `predicted_METRIC` and `spread_METRIC` are those of a further objective that is learned, in the metric's own unit.
"""

from __future__ import annotations

from collections.abc import Mapping

from predictors import Prediction
from searchspaces import Value


def prediction_memo(
    prediction: Prediction, at: int = 0, further: Mapping[str, Prediction] | None = None
) -> dict[str, Value]:
    """The entries for the suggestion of place `at` in the predictions; `further` has those of objectives by metric.

    >>> import numpy as np
    >>> prediction_memo(Prediction(np.array([0.8]), np.array([0.1])))
    {'predicted': 0.8, 'spread': 0.1}
    """
    memo: dict[str, Value] = {"predicted": float(prediction.mean[at]), "spread": float(prediction.std[at])}
    for metric, one in (further or {}).items():
        memo |= {f"predicted_{metric}": float(one.mean[at]), f"spread_{metric}": float(one.std[at])}
    return memo
