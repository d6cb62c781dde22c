"""A pool of unseen candidates for an acquisition function: neighbours of the front, further mutants, and chance."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

import numpy as np

from automl.proposals._unseen import Identity, sample_unseen, unseen_mutant
from evaluators import Suggestion, Trial
from searchspaces import SearchSpace

NEAR, FAR = 0.7, 0.15
"""Shares of neighbours and of mutants a few edits away; the rest is drawn from the space."""
MOST_EDITS = 4


@dataclass(frozen=True)
class Pool:
    """How large a pool is and whom its mutants come from."""

    size: int
    parents: Sequence[Trial]

    def drawn(self, space: SearchSpace, taken: Set[Identity], rng: np.random.Generator) -> list[Suggestion]:
        """Distinct suggestions that are not taken; fewer, even none, where the space runs dry."""
        found: dict[Identity, Suggestion] = {}
        for place in range(self.size):
            drawn = self._mutant(space, place, taken | found.keys(), rng) or _sample(space, taken | found.keys(), rng)
            if drawn is None:
                break
            found[drawn.identity] = drawn
        return list(found.values())

    def _mutant(
        self, space: SearchSpace, place: int, taken: Set[Identity], rng: np.random.Generator
    ) -> Suggestion | None:
        share = (place + 0.5) / self.size
        if not self.parents or share > NEAR + FAR:
            return None
        parent = self.parents[int(rng.integers(len(self.parents)))]
        edits = 1 if share < NEAR else int(rng.integers(2, MOST_EDITS + 1))
        mutant = unseen_mutant(space, parent.candidate, taken, rng, edits=edits)
        return None if mutant is None else Suggestion(mutant, parents=(parent.number,), origin="mutation")


def _sample(space: SearchSpace, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
    candidate = sample_unseen(space, taken, rng)
    return None if candidate is None else Suggestion(candidate, origin="random")
