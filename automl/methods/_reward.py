"""What a sub-network is worth beside the baseline: the relative difference of losses, less the price of too much cost.

Letters: L loss of a sub-network, L_B that of the baseline on the same rows, c cost, b budget of cost, w its weight.

    reward = max(-1, (L_B - L) / L_B) - w * max(0, c / b - 1)

Both losses are of one batch before the step on it, so that what makes the batch hard cancels: Wen et al. 2023,
Rankitect. The price is the one-sided form of that of Bender et al. 2020, Can Weight Sharing Outperform Random
Architecture Search? An Investigation With TuNAS: cheaper than the budget is neither better nor worse. Where the cost is
a time, both times are of one moment, for the same reason as both losses are of one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from automl.proposals import closed_form_costs
from searchspaces import Candidate, FeatureSchema, SearchSpaceError

Vector = NDArray[np.float64]

WORST = -1.0
"""The relative difference of who has twice the baseline's loss or more, or none that is a number."""


class Pricing(Protocol):
    """What candidates pay for their cost."""

    def of(self, candidate: Candidate) -> float:
        """The price of a candidate of a space, in units of relative loss."""
        ...


@dataclass(frozen=True)
class Price:
    """What a candidate pays for its cost by `metric` beyond `budget`; nothing where the weight is zero."""

    schema: FeatureSchema
    metric: str
    budget: float
    weight: float

    def of(self, candidate: Candidate) -> float:
        """The price of a candidate of a space, in units of relative loss."""
        if not self.weight:
            return 0.0
        (cost,) = closed_form_costs(candidate, self.schema, [self.metric])
        return self.weight * max(0.0, float(cost) / self.budget - 1.0)


@dataclass(eq=False)
class TimedPrice:
    """What a candidate pays for the time that it takes over that of the baseline, beyond `free`.

    `times` are those that are known, by fingerprint. Each candidate is timed once: what it pays stays the same, and a
    run that goes on from a checkpoint knows what was read out before.
    """

    timed: Callable[[Candidate], float]
    free: float
    weight: float
    times: dict[str, float]

    def of(self, candidate: Candidate) -> float:
        """The price; nothing for what cannot be built, which has no worth either."""
        known = self.times.get(candidate.fingerprint)
        if known is None:
            try:
                known = self.times[candidate.fingerprint] = round(self.timed(candidate), 4)
            except SearchSpaceError:
                return 0.0
        return self.weight * max(0.0, known / self.free - 1.0)


def rewards(losses: Sequence[float], baseline: float, prices: Sequence[float]) -> Vector:
    """The reward of each sub-network.

    >>> rewards([0.5, 0.6, float("nan")], 0.6, [0.0, 0.01, 0.0]).round(4).tolist()
    [0.1667, -0.01, -1.0]
    """
    gains = (baseline - np.asarray(losses, np.float64)) / baseline
    found: Vector = np.fmax(WORST, gains) - np.asarray(prices, np.float64)
    return found
