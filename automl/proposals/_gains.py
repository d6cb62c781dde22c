"""Losses turned into gains for a model that maximises: standardised, costs by their logarithm, disasters cut off."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.proposals._costs import CLOSED_FORM
from evaluators import Objective
from predictors import Prediction

CLIPPED_AT = 0.95
"""Quantile of the losses beyond which they are cut off: a diverged trial tells where not to go, not how far."""

Array = NDArray[np.float64]


@dataclass(frozen=True)
class GainScale:
    """From losses to gains: larger is better, told ones have zero mean and unit spread.

    >>> scale = GainScale.of(np.array([1.0, 3.0]), Objective("ne", bound=2.0), is_clipped=False)
    >>> scale.gains(np.array([1.0, 2.0, np.nan])), scale.bound
    (array([ 1., -0., -1.]), -0.0)
    """

    centre: float
    spread: float
    highest: float
    is_log: bool
    bound: float

    @classmethod
    def of(cls, losses: Array, objective: Objective, *, is_clipped: bool) -> GainScale:
        """The scale of told losses, NaN where a trial failed; at least one did not.

        `bound` is the least gain that keeps the objective's bound, minus infinity without one.
        """
        finite = losses[np.isfinite(losses)]
        is_log = objective.metric in CLOSED_FORM and bool((finite > 0).all())
        moved = np.log10(finite) if is_log else finite
        highest = float(np.quantile(moved, CLIPPED_AT) if is_clipped else moved.max())
        kept = np.minimum(moved, highest)
        scale = cls(float(kept.mean()), max(float(kept.std()), 1e-9), highest, is_log, -math.inf)
        if objective.bound is None:
            return scale
        limit = objective.loss(objective.bound)
        at = math.log10(max(limit, 1e-12)) if is_log else limit
        return cls(scale.centre, scale.spread, highest, is_log, -(at - scale.centre) / scale.spread)

    def gains(self, losses: Array) -> Array:
        """Gains of any losses; what failed (NaN) stands where the worst does."""
        moved = np.log10(losses) if self.is_log else losses
        gains: Array = -(np.where(np.isnan(moved), self.highest, moved) - self.centre) / self.spread
        return gains

    def losses(self, gains: Prediction) -> Prediction:
        """Losses of gains, and of their deviations to first order."""
        moved = self.centre - self.spread * gains.mean
        if not self.is_log:
            return Prediction(moved, self.spread * gains.std)
        losses = 10.0**moved
        return Prediction(losses, math.log(10.0) * losses * self.spread * gains.std)

    def clipped_gains(self, losses: Array) -> Array:
        """Gains of told losses, disasters cut off."""
        floor = -(self.highest - self.centre) / self.spread
        return np.maximum(self.gains(losses), floor)
