"""What a policy is rewarded for: predicted quality against known cost, both on the scale of the space.

Letters: B candidates, M costs. Source: Yin et al. 2023, AutoML for Large Capacity Modeling of Meta's Ranking Systems:
reward = -(1 - alpha) * NE - alpha * FLOPs. NE is what the predictor says, made worse by its own disagreement; FLOPs are
their logarithm. Both are standardised by random candidates, so that alpha means the same in every space and study.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from predictors import Prediction

Vector = NDArray[np.float64]

DISREGARD = 10.0
"""Standard deviations of quality that a doubling beyond a bound costs: more than any quality is worth."""


@dataclass(frozen=True, eq=False)
class Outlook:
    """What is known of B candidates before they are trained: predictions `[B]` and costs `[B, M]`, NaN if unknown."""

    predicted: Prediction
    costs: NDArray[np.float64]

    def pessimistic(self, disagreement: float) -> Vector:
        """Predicted losses with so many standard deviations on top, so that a policy gains nothing by doubt, `[B]`."""
        return self.predicted.mean + disagreement * self.predicted.std


@dataclass(frozen=True)
class Scale:
    """Centre and spread of some numbers; those that do not differ are all in the centre."""

    centre: float
    spread: float

    @classmethod
    def of(cls, values: Vector) -> Scale:
        """Of the finite ones; everything is in the centre where there are none."""
        known = values[np.isfinite(values)]
        if not len(known):
            return cls(0.0, np.inf)
        spread = float(known.std())
        return cls(float(known.mean()), spread if spread > 1e-12 * max(1.0, float(np.abs(known).max())) else np.inf)

    def standardised(self, values: Vector) -> Vector:
        """In spreads from the centre; unknown values are in the centre."""
        found: Vector = np.nan_to_num((values - self.centre) / self.spread)
        return found


@dataclass(frozen=True)
class Worth:
    """The reward of one end of the sweep, or of a constraint on what additional cost must bring.

    With `roi`, a return on investment, quality counts fully and each doubling of cost beyond `reference` must bring
    `roi` standard deviations of it; else `alpha` is the share of cost in the reward. Bounds of the cost objectives
    hold in both cases. The first of the cost objectives is the cost.
    """

    quality: Scale
    cost: Scale
    alpha: float = 0.0
    roi: float | None = None
    reference: float | None = None
    disagreement: float = 1.0
    bounds: tuple[float | None, ...] = ()

    def __call__(self, outlook: Outlook) -> Vector:
        """Rewards `[B]`, larger is better."""
        quality = -self.quality.standardised(outlook.pessimistic(self.disagreement))
        doublings = np.log2(np.maximum(outlook.costs, 1.0))
        reward = quality - sum(DISREGARD * _beyond(doublings[:, at], bound) for at, bound in enumerate(self.bounds))
        if not doublings.shape[1]:
            return quality
        if self.roi is not None:
            return reward - self.roi * _beyond(doublings[:, 0], self.reference)
        return reward - self.alpha * (quality + self.cost.standardised(doublings[:, 0]))


def scales(outlook: Outlook, disagreement: float) -> tuple[Scale, Scale]:
    """Of pessimistic losses, and of the doublings of the first cost, over random candidates."""
    first = np.log2(np.maximum(outlook.costs[:, 0], 1.0)) if outlook.costs.shape[1] else np.empty(0)
    return Scale.of(outlook.pessimistic(disagreement)), Scale.of(first)


def _beyond(doublings: Vector, bound: float | None) -> Vector:
    """Doublings beyond the bound, zero within; `[B]`."""
    if bound is None:
        return np.zeros(len(doublings))
    beyond: Vector = np.nan_to_num(np.maximum(doublings - np.log2(max(bound, 1.0)), 0.0))
    return beyond
