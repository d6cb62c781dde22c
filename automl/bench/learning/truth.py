"""What can be known of planted data without training: the truth, and the best that a limited model can say.

Letters: s states of the world, each with a weight (its probability, summing to one) and log-odds of a click; c columns.
A model that sees no more than the state can at best answer the true log-odds; one that is limited to sums of columns
at best their logistic regression on the states, whose minimum is unique where columns are independent.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators._training.metrics import entropy, probabilities, row_losses

Vector = NDArray[np.float64]

NEWTON_STEPS = 50
RIDGE = 1e-10
"""Keeps the matrix of a step regular where columns say the same; moves log-odds in the tenth digit."""


@dataclass(frozen=True, eq=False)
class Truth:
    """A world of finitely many states: `weights` and `log_odds`, both [s]."""

    weights: Vector
    log_odds: Vector

    @property
    def rate(self) -> float:
        """Share of clicks."""
        return float(self.weights @ probabilities(self.log_odds))

    def ne(self, logits: Vector) -> float:
        """Expected NE of answering `logits` [s]: that of `log_odds` is Bayes-optimal, no model has less."""
        p = probabilities(self.log_odds)
        return float(self.weights @ row_losses(logits, p)) / entropy(self.rate)

    def auc(self, logits: Vector) -> float:
        """Expected AUC of answering `logits` [s], a tie counting one half."""
        p = probabilities(self.log_odds)
        places = np.unique(logits.round(9), return_inverse=True)[1].reshape(-1)
        clicks, others = (np.bincount(places, weights=self.weights * share) for share in (p, 1.0 - p))
        below = np.cumsum(others) - others / 2.0
        return float(clicks @ below) / (self.rate * (1.0 - self.rate))

    def best_sum(self, columns: NDArray[np.float64]) -> Vector:
        """The logits [s] of least expected loss among sums of `columns` [s, c], by Newton's method."""
        p, found = probabilities(self.log_odds), np.zeros(columns.shape[1])
        for _ in range(NEWTON_STEPS):
            guess = probabilities(columns @ found)
            curvature = columns.T @ (columns * (self.weights * guess * (1.0 - guess))[:, None])
            step = columns.T @ (self.weights * (p - guess))
            found += np.linalg.solve(curvature + RIDGE * np.eye(len(found)), step)
        best: Vector = columns @ found
        return best

    def best_of_groups(self, groups: NDArray[np.int64]) -> Vector:
        """The logits [s] of least expected loss of a model that cannot tell states of one group [s] apart."""
        clicks = np.bincount(groups, weights=self.weights * probabilities(self.log_odds))
        rates = clicks / np.maximum(np.bincount(groups, weights=self.weights), 1e-300)
        best: Vector = np.log(rates / (1.0 - rates))[groups]
        return best
