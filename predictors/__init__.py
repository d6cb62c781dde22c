"""Guesses what a candidate might be worth."""

from predictors._predictor import (
    CrossValidated,
    HeldOut,
    Prediction,
    Predictor,
    PredictorError,
    TellsFailures,
)
from predictors._rank_correlation import rank_correlation
from predictors._ranks import loss_ranks

__all__ = [
    "CrossValidated",
    "HeldOut",
    "Prediction",
    "Predictor",
    "PredictorError",
    "TellsFailures",
    "loss_ranks",
    "rank_correlation",
]
