"""Random search: the yardstick that every other searcher must beat at equal cost."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl.proposals import Identity, in_turn, random_suggestion
from evaluators import Objective, Suggestion, Trial
from searchspaces import SearchSpace

__all__ = ["RandomSearch"]


class RandomSearch:
    """Samples the space, never the same live graph twice.

    Source: Bergstra and Bengio 2012, Random Search for Hyper-Parameter Optimization.
    """

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective]) -> None:
        """Takes the objectives as every searcher does, but its choice does not depend on them."""
        self._space = space
        self._objectives = tuple(objectives)
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted."""
        taken = self._seen | {suggestion.identity for suggestion in pending}
        return in_turn(n, taken, lambda _, gone: random_suggestion(self._space, gone, rng))

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remembers what has been tried."""
        self._seen.update(trial.suggestion.identity for trial in trials)
