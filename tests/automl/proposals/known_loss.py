"""A guide that need not learn."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

import numpy as np

from evaluators import Suggestion, Trial
from predictors import Prediction
from tests.automl._bitstrings import loss


class KnownLoss:
    """A guide that has nothing to learn: it tells what bitstrings are worth, and is as sure as it is told to be."""

    def __init__(self, std: float = 0.01) -> None:
        self.std = std
        self.told: list[int] = []

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        self.told.append(len(trials))
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        mean = np.array([0.8 + loss(one.candidate) for one in suggestions])
        return Prediction(mean, np.full(len(mean), self.std))


class Constant(KnownLoss):
    """A guide to which everything is alike."""

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Zero, and as sure as the other one."""
        return Prediction(np.zeros(len(suggestions)), np.full(len(suggestions), self.std))
