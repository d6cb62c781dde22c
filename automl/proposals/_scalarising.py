"""Several objectives as one, with weights that chance draws, so that a search spreads over the front."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.proposals._dominance import violation
from evaluators import Objective, Trial
from predictors import loss_ranks

AUGMENTATION = 0.05
"""Weight of the sum beside the largest term: what is dominated loses, as Knowles had it."""


def scalarised(
    trials: Sequence[Trial], objectives: Sequence[Objective], rng: np.random.Generator
) -> NDArray[np.float64]:
    """Scores `[n]`, smaller is better: an augmented Chebyshev distance with weights drawn anew.

    Source: Knowles 2006, ParEGO: A Hybrid Algorithm with On-line Landscape Approximation for Expensive Multiobjective
    Optimization Problems. The first objective, the most important one, gets half of the weight; the other half is
    uniform on the simplex: the far end of the front, small and useless, is seldom what a study is for. Ranks among
    the trials stand in for values, so that no unit matters. What keeps every bound scores at most 1.05; then comes what
    breaks bounds, by how far; what has no value scores infinity. With one objective the order is that of its values.
    """
    if not trials:
        return np.empty(0)
    ranks = np.stack([loss_ranks(trials, objective) for objective in objectives], axis=1) / len(trials)
    weights = rng.dirichlet(np.ones(len(objectives))) / 2
    weights[0] += 0.5
    weighted = weights * ranks
    score = weighted.max(axis=1) + AUGMENTATION * weighted.sum(axis=1)
    excess = np.array([violation(trial, objectives) for trial in trials])
    broken: NDArray[np.float64] = np.where(excess > 0, 2.0 + excess, score)
    return broken
