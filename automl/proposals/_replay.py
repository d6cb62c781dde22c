"""What a policy has drawn before, to learn from it again: weighted by what became likelier since, but never much.

Letters: B assignments, D decisions. A ratio is the probability of an assignment now over that when it was drawn.

Source of the clipped ratio: Schulman et al. 2017, Proximal Policy Optimization Algorithms; of learning on and off the
policy in a one-shot search: Wen et al. 2023, Rankitect: Ranking Architecture Search Battling World-class Engineers at
Meta Scale.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.proposals._policy import Rows, Vector

Arrays = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, eq=False)
class Replay:
    """Drawn rows `[B, D]` with their advantages, log probabilities and steps at the time, `[B]` each; oldest first."""

    rows: Rows
    advantages: Vector
    log_likelihoods: Vector
    steps: NDArray[np.int64]

    @classmethod
    def empty(cls, decisions: int) -> Replay:
        """With nothing in it, for assignments of so many decisions."""
        none = np.zeros(0)
        return cls(np.zeros((0, decisions), np.int64), none, none, np.zeros(0, np.int64))

    def __len__(self) -> int:
        """How many there are."""
        return len(self.steps)

    def added(self, rows: Rows, advantages: Vector, log_likelihoods: Vector, *, step: int, age: int) -> Replay:
        """With these more, drawn at `step`, and without those that are more than `age` steps older."""
        kept = self.steps >= step - age
        return Replay(
            np.concatenate([self.rows[kept], rows]),
            np.concatenate([self.advantages[kept], advantages]),
            np.concatenate([self.log_likelihoods[kept], log_likelihoods]),
            np.concatenate([self.steps[kept], np.full(len(rows), step, np.int64)]),
        )

    def sample(self, count: int, rng: np.random.Generator) -> Replay:
        """Up to `count` of them by chance, none twice."""
        places = rng.permutation(len(self))[:count]
        return Replay(self.rows[places], self.advantages[places], self.log_likelihoods[places], self.steps[places])

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """Everything by name; the inverse of `of`."""
        return {
            "rows": self.rows,
            "advantages": self.advantages,
            "log_likelihoods": self.log_likelihoods,
            "steps": self.steps,
        }

    @classmethod
    def of(cls, arrays: Arrays) -> Replay:
        """Reads what `arrays` gave."""
        return cls(
            arrays["rows"].astype(np.int64),
            arrays["advantages"].astype(np.float64),
            arrays["log_likelihoods"].astype(np.float64),
            arrays["steps"].astype(np.int64),
        )


def clipped(advantages: Vector, ratios: Vector, *, low: float, high: float) -> Vector:
    """Weights of the log-likelihood gradients of replayed assignments, `[B]`.

    The objective of each is the smaller one of ratio * advantage and clip(ratio, low, high) * advantage. Its gradient
    is ratio * advantage times that of the log probability, and zero where clipping makes it the smaller one.

    >>> clipped(np.array([1.0, 1.0, -1.0, -1.0]), np.array([1.1, 1.3, 1.3, 0.7]), low=0.8, high=1.2).tolist()
    [1.1, 0.0, -1.3, -0.0]
    """
    counts = np.where(advantages >= 0.0, ratios <= high, ratios >= low)
    weights: Vector = ratios * advantages * counts
    return weights
