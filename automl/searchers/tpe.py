"""TPE: where good trials lie more densely than bad ones; through Optuna.

Sources: Bergstra, Bardenet, Bengio and Kegl 2011, Algorithms for Hyper-Parameter Optimization; with several objectives
Ozaki, Tanigaki, Watanabe and Onishi 2020, Multiobjective Tree-Structured Parzen Estimator.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from optuna.samplers import BaseSampler, TPESampler

from automl._errors import ConfigError
from automl.proposals import count_mistakes, objective_mistakes
from automl.proposals.optuna_search import OptunaSearch, Peer
from evaluators import Objective, Suggestion, Trial
from searchspaces import SearchSpace

__all__ = ["TPE"]


class TPE:
    """Estimates one density of good trials and one of the others, and proposes where their ratio is largest.

    Decisions are asked for where their conditions hold. Those that count together share a density, as Optuna advises
    for conditional spaces (`multivariate` and `group`); without `joint` each decision has its own, Optuna's default
    with several objectives.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        startup: int = 10,
        samples: int = 24,
        joint: bool = True,
    ) -> None:
        """The first `startup` trials are random; then the best of `samples` draws from the good density is proposed.

        Raises:
            ConfigError: an option below 1, or no objective.
        """
        mistakes = count_mistakes(startup=startup, samples=samples) + objective_mistakes(objectives)
        if mistakes:
            raise ConfigError("the searcher 'tpe'", mistakes)
        sampler = partial(_sampler, samples=samples, joint=joint)
        self._search = OptunaSearch(space, objectives, Peer("tpe", sampler, startup, walks=True, resamples=10))

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted."""
        return self._search.ask(n, rng, pending)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learns from trials of the search and from baselines that are points of the space."""
        self._search.tell(trials)


def _sampler(seed: int, *, samples: int, joint: bool) -> BaseSampler:
    return TPESampler(seed=seed, n_startup_trials=1, n_ei_candidates=samples, multivariate=joint, group=joint)
