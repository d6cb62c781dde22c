"""What the ask of every searcher does, whatever it proposes: one suggestion after the other, none twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set

import numpy as np

from automl.proposals._unseen import Identity, sample_unseen
from evaluators import Suggestion
from searchspaces import Options, SearchSpace

Propose = Callable[[Sequence[Suggestion], Set[Identity]], Suggestion | None]
"""The next suggestion, given those of this ask and what is taken by then; None where there is none."""


def in_turn(n: int, taken: Set[Identity], propose: Propose) -> list[Suggestion]:
    """Up to `n` suggestions; one that is not found ends the ask."""
    suggestions: list[Suggestion] = []
    gone = set(taken)
    while len(suggestions) < n:
        suggestion = propose(suggestions, gone)
        if suggestion is None:
            break
        suggestions.append(suggestion)
        gone.add(suggestion.identity)
    return suggestions


def random_suggestion(
    space: SearchSpace, taken: Set[Identity], rng: np.random.Generator, memo: Options | None = None
) -> Suggestion | None:
    """A random candidate that is not taken; None where the space is exhausted."""
    candidate = sample_unseen(space, taken, rng)
    return None if candidate is None else Suggestion(candidate, origin="random", memo=memo or Options())
