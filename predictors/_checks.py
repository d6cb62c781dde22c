"""What every predictor refuses in the same words."""

from __future__ import annotations

from predictors._predictor import PredictorError


def check_counts(**counts: int) -> None:
    """Returns silently where each is at least 1.

    Raises:
        PredictorError: one is not.
    """
    for name, value in counts.items():
        if value < 1:
            raise PredictorError(f"{name} must be at least 1, but is {value}")


def check_fitted(*, is_fitted: bool) -> None:
    """Returns silently after a fit.

    Raises:
        PredictorError: there was none.
    """
    if not is_fitted:
        raise PredictorError("a predictor must be fitted before it predicts; call fit first")
