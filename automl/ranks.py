"""Pareto ranks that are kept up to date while points come in.

Source of the ranks: Deb, Pratap, Agarwal and Meyarivan 2002, A Fast and Elitist Multiobjective Genetic Algorithm:
NSGA-II (non-dominated sorting). Of the update: Li, Deb, Zhang and Zhang 2014, Efficient Non-domination Level Update
Approach for Steady-State Evolutionary Multiobjective Optimization.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


class ParetoRanks:
    """Rank 1 is beaten by no point; rank k by one of rank k - 1 and by none of a higher rank.

    A point beats another where it is no larger in any loss and smaller in one, so equal points share a rank.

    >>> ranks = ParetoRanks()
    >>> ranks.add(0, (2, 2)), ranks.add(1, (3, 1)), ranks.add(2, (1, 1))
    ({0: 1}, {1: 1}, {2: 1, 0: 2, 1: 2})
    """

    def __init__(self) -> None:
        self._numbers: list[int] = []
        self._losses = np.empty((0, 0))
        self._ranks = np.empty(0, dtype=int)

    @property
    def ranks(self) -> dict[int, int]:
        """The rank of each point by its number."""
        return dict(zip(self._numbers, map(int, self._ranks), strict=True))

    @property
    def front(self) -> NDArray[np.float64]:
        """The losses `[n, objectives]` of the points of rank 1."""
        front: NDArray[np.float64] = self._losses[self._ranks == 1]
        return front

    def add(self, number: int, losses: Sequence[float]) -> dict[int, int]:
        """Ranks one more point; the new ranks of all points, itself first, whose rank is another one now."""
        point = np.asarray(losses, dtype=float)
        if not self._numbers:
            self._losses = np.empty((0, len(point)))
        beating = (self._losses <= point).all(axis=1) & (self._losses < point).any(axis=1)
        rank = 1 + int(self._ranks[beating].max(initial=0))
        changed = {number: rank} | self._push_down(point, rank)
        self._numbers.append(number)
        self._losses = np.vstack([self._losses, point])
        self._ranks = np.append(self._ranks, rank)
        return changed

    def _push_down(self, point: NDArray[np.float64], rank: int) -> dict[int, int]:
        """Moves what the new point beats at its rank one rank down, and so on with what those beat."""
        changed = {}
        moved = point[None]
        while len(moved):
            peers = np.flatnonzero(self._ranks == rank)
            beaten = peers[_are_beaten(self._losses[peers], moved)]
            rank += 1
            self._ranks[beaten] = rank
            changed.update(dict.fromkeys((self._numbers[place] for place in beaten), rank))
            moved = self._losses[beaten]
        return changed


def _are_beaten(losses: NDArray[np.float64], by: NDArray[np.float64]) -> NDArray[np.bool_]:
    larger_or_equal = (by[None] <= losses[:, None]).all(axis=2)
    different = (by[None] < losses[:, None]).any(axis=2)
    return np.asarray(np.any(larger_or_equal & different, axis=1))
