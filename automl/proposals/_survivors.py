"""Survival: which trials stay in a population, by youth, loss and complexity together.

Letters: N trials so far, P population size. Source: Song et al. 2020, Towards Automated Neural
Interaction Discovery for Click-Through Rate Prediction, and the code released with it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.proposals._bounds import ranks_within_bounds
from evaluators import Objective, Trial

TRIALS_PER_UNIT_OF_AGE = 100


def absolute_ages(trials: int) -> NDArray[np.float64]:
    """Ages `[N]` of trials in the order in which they were told: trials told since, divided by 100.

    A step of age weighs the same at the 20th trial as at the 2,000th, so that the trade-off between
    youth and quality does not drift as a study grows.
    """
    return np.arange(trials - 1, -1, -1) / TRIALS_PER_UNIT_OF_AGE


def published_ages(trials: int, population: int) -> NDArray[np.float64]:
    """Ages `[N]` on the published scale: N..1 divided by N, where the first P share the age of the P-th."""
    ages = np.arange(trials, 0, -1) / max(trials, 1)
    ages[:population] = ages[min(population, trials) - 1] if trials else 1.0
    return ages


def survivors(
    trials: Sequence[Trial],
    ages: NDArray[np.float64],
    *,
    objectives: tuple[Objective, Objective],
    weights: tuple[float, float, float],
    population: int,
    bounds: Sequence[Objective] = (),
) -> list[Trial]:
    """The P trials that live, oldest first: a pure function of the record.

    Of the 2P youngest, those with the smallest w0 * loss rank / n + w1 * age + w2 * complexity rank / n
    (n is how many are compared). `objectives` are quality and complexity, `weights` are w0, w1, w2.
    Failed trials rank last in both, but are young all the same; those that break one of the `bounds` are before them.
    """
    youngest = np.argsort(ages, kind="stable")[: 2 * population]
    compared = [trials[index] for index in youngest]
    quality, complexity = (
        ranks_within_bounds(compared, objective, bounds) / max(len(compared), 1) for objective in objectives
    )
    score = weights[0] * quality + weights[1] * ages[youngest] + weights[2] * complexity
    living = youngest[np.argsort(score, kind="stable")[:population]]
    return [trials[index] for index in sorted(living)]
