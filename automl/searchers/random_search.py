"""Random search: the yardstick that every other searcher must beat at equal cost; with a guide the best of a pool."""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np

from automl._errors import ConfigError
from automl.proposals import (
    Guidance,
    Identity,
    count_mistakes,
    fitness,
    guidance_mistakes,
    in_turn,
    is_baseline,
    is_start,
    random_suggestion,
    share_mistakes,
)
from evaluators import Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import Candidate, SearchSpace

__all__ = ["RandomSearch"]


class RandomSearch:
    """Samples the space, never the same live graph twice.

    Source: Bergstra and Bengio 2012, Random Search for Hyper-Parameter Optimization.

    With a `guide` each suggestion after the first `initial` ones is that of `pool` random candidates that the guide
    thinks best, but for a share `exploration`, as long as the guide orders better than chance (see
    `proposals.Guidance`): what a predictor is worth without any searcher. Source: Wen et al. 2020, Neural Predictor
    for Neural Architecture Search, which fits once where this fits for each trial.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        guide: Predictor | None = None,
        initial: int = 20,
        pool: int = 100,
        exploration: float = 0.15,
    ) -> None:
        """`initial`, `pool` and `exploration` matter with a `guide` alone, and so do the objectives.

        Raises:
            ConfigError: options out of range, or a guide that cannot learn the objectives.
        """
        mistakes = count_mistakes(initial=initial, pool=pool) + share_mistakes(exploration=exploration)
        mistakes += guidance_mistakes(objectives) if guide else []
        if mistakes:
            raise ConfigError("the searcher 'random_search'", mistakes)
        self._space = space
        self._guidance = None if guide is None else Guidance(guide, fitness(objectives).metric, exploration)
        self._initial = initial
        self._pool = pool
        self._lessons: list[Trial] = []
        self._searched = 0
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        With a guide the memo is that of `proposals.Guidance`, where `mutants` are those of the pool.
        """
        taken = self._seen | {suggestion.identity for suggestion in pending}
        underway = sum(not is_baseline(suggestion) for suggestion in pending)

        def proposed(made: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
            if self._guidance is None or self._searched + underway + len(made) < self._initial:
                return random_suggestion(self._space, gone, rng)
            drawn = self._drawn(gone, rng)
            if not drawn:
                return None
            candidate, memo = self._guidance.pick(drawn, self._lessons, rng)
            return Suggestion(candidate, origin="random", memo=memo)

        return in_turn(n, taken, proposed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remembers what has been tried; a guide learns from trials of the search and from the user's own model."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        self._searched += sum(trial.stage == "search" for trial in trials)
        self._learn([trial for trial in trials if trial.stage == "search" or is_start(trial, self._space)])

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Teaches the guide, where there is one, and nothing else."""
        self._learn(trials)

    def _learn(self, trials: Sequence[Trial]) -> None:
        if self._guidance is not None:
            self._lessons.extend(trials)
            self._guidance.told(self._lessons)

    def _drawn(self, taken: Set[Identity], rng: np.random.Generator) -> list[Candidate]:
        """Different random candidates that are not taken; fewer than a pool where the space has no more."""
        suggestions = in_turn(self._pool, set(taken), lambda _, gone: random_suggestion(self._space, gone, rng))
        return [one.candidate for one in suggestions]
