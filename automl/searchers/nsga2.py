"""NSGA-II: generations that survive by their front and by the room around them; through Optuna.

Source: Deb, Pratap, Agarwal and Meyarivan 2002, A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
from optuna.samplers import BaseSampler, NSGAIISampler

from automl._errors import ConfigError
from automl.proposals import count_mistakes, objective_mistakes, share_mistakes
from automl.proposals.optuna_search import OptunaSearch, Peer
from evaluators import Objective, Suggestion, Trial
from searchspaces import SearchSpace

__all__ = ["NSGA2"]

GENERATION = "NSGAIISampler:generation"
"""Where Optuna keeps the generation of a trial. Told trials get it by their place, so that nothing else is kept."""


class NSGA2:
    """Crosses and mutates the best of the last generation and of its parents.

    The first generation is random. Decisions without effect are genes all the same, silent until they count.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        population: int = 20,
        crossover: float = 0.9,
        swapping: float = 0.5,
    ) -> None:
        """`crossover` is the share of children with two parents, `swapping` that of genes from the second one.

        Optuna's own `population` of 50 would leave a study of a hundred trials one generation.

        Raises:
            ConfigError: a population below 2, a share outside 0 to 1, or no objective.
        """
        mistakes = count_mistakes(population=population) + share_mistakes(crossover=crossover, swapping=swapping)
        mistakes += objective_mistakes(objectives)
        if population == 1:
            mistakes.append("a population has two members at least, but population is 1")
        if mistakes:
            raise ConfigError("the searcher 'nsga2'", mistakes)
        sampler = partial(_sampler, population=population, crossover=crossover, swapping=swapping)
        peer = Peer(
            "nsga2",
            sampler,
            population,
            walks=False,
            resamples=10,
            marks=lambda place: {GENERATION: place // population},
        )
        self._search = OptunaSearch(space, objectives, peer)

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted."""
        return self._search.ask(n, rng, pending)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learns from trials of the search and from baselines that are points of the space."""
        self._search.tell(trials)


def _sampler(seed: int, *, population: int, crossover: float, swapping: float) -> BaseSampler:
    return NSGAIISampler(seed=seed, population_size=population, crossover_prob=crossover, swapping_prob=swapping)
