"""Puts trials in order, whatever became of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Trial, TrialState


def loss_ranks(trials: Sequence[Trial], objective: Objective) -> NDArray[np.float64]:
    """Ranks `[n]` from 1 (best), for whatever learns from an order rather than from values.

    Complete trials come first, by their value; pruned ones follow, since they were stopped for lagging
    behind; trials without a value are last and tie. Ties share their mean rank.
    """
    if not trials:
        return np.empty(0)
    keys = np.array([_key(trial, objective) for trial in trials])
    _, group, sizes = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    mean_rank = np.cumsum(sizes) - (sizes - 1) / 2
    ranks: NDArray[np.float64] = mean_rank[group.reshape(-1)]
    return ranks


def _key(trial: Trial, objective: Objective) -> tuple[float, float]:
    value = trial.value(objective.metric)
    if value is None or trial.state is TrialState.FAIL:
        return (2.0, 0.0)
    return (0.0 if trial.state is TrialState.COMPLETE else 1.0, objective.loss(value))
