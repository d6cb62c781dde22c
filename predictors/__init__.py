"""Guesses what a candidate might be worth."""

from predictors._predictor import Prediction, Predictor, PredictorError
from predictors._rank_correlation import rank_correlation

__all__ = ["Prediction", "Predictor", "PredictorError", "rank_correlation"]
