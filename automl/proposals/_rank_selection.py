"""Rank selection: better parents are likelier, by their rank alone.

Letters: P population size, k selection size, r rank from 1 (best). Of P + k places in a row, k + 1 are
drawn; the first of them is the rank of the parent. So k = 0 is uniform, and large k is greedy.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

import numpy as np
from numpy.typing import NDArray

from automl.proposals._bounds import ranks_within_bounds
from evaluators import Objective, Trial


def rank_probabilities(population: int, selection_size: int) -> NDArray[np.float64]:
    """Probability `[P]` that each rank becomes a parent: C(P - r + k, k) / C(P + k, k + 1).

    Source: Song et al. 2020, Towards Automated Neural Interaction Discovery for Click-Through Rate Prediction.

    >>> rank_probabilities(3, 1).tolist()
    [0.5, 0.3333333333333333, 0.16666666666666666]
    """
    ways = comb(population + selection_size, selection_size + 1)
    ranks = range(1, population + 1)
    return np.array([comb(population - rank + selection_size, selection_size) / ways for rank in ranks])


def select_parent(
    population: Sequence[Trial],
    objective: Objective,
    selection_size: int,
    rng: np.random.Generator,
    *,
    bounds: Sequence[Objective] = (),
) -> Trial:
    """Draws one trial of a population that is not empty; among equals the older one counts as better.

    Those that break one of the `bounds` rank behind those that keep all.
    """
    order = np.argsort(ranks_within_bounds(population, objective, bounds), kind="stable")
    drawn = rng.choice(order, p=rank_probabilities(len(order), selection_size))
    return population[int(drawn)]
