"""Optuna's Gaussian process: expected improvement, or that of the hypervolume with several objectives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from optuna.samplers import BaseSampler, GPSampler

from automl._errors import ConfigError
from automl.proposals import count_mistakes, objective_mistakes
from automl.proposals.optuna_search import OptunaSearch, Peer
from evaluators import Objective, Suggestion, Trial
from searchspaces import SearchSpace

__all__ = ["GPSearch"]


class GPSearch:
    """Fits a Gaussian process (Matern 5/2, a length scale for each decision) and maximises log expected improvement.

    Every decision is part of the model; one without effect stands at its first choice. Costs are modelled like
    everything else. An ask takes tenths of a second, more as trials and decisions grow.
    """

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], *, startup: int = 10) -> None:
        """The first `startup` trials are random.

        Raises:
            ConfigError: `startup` is below 1, or no objective.
        """
        mistakes = count_mistakes(startup=startup) + objective_mistakes(objectives)
        if mistakes:
            raise ConfigError("the searcher 'gp_sampler'", mistakes)
        self._search = OptunaSearch(space, objectives, Peer("gp_sampler", _sampler, startup, walks=False, resamples=2))

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted."""
        return self._search.ask(n, rng, pending)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learns from trials of the search and from baselines that are points of the space."""
        self._search.tell(trials)


def _sampler(seed: int) -> BaseSampler:
    return GPSampler(seed=seed, n_startup_trials=1)
