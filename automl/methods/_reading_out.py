"""Which candidates are scored at the end of a run, and which of them are read out."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from automl.proposals import Identity, Policy, unseen_mutant
from evaluators import Suggestion
from searchspaces import Candidate, SearchSpace

POPULATION, TOURNAMENT = 24, 8
DRAWS = 20
"""Draws for each candidate that is wanted: a sharp policy draws the same ones over and over."""

Worth = Callable[[Candidate], float]
"""What a candidate is worth; larger is better, minus infinity where it cannot be scored."""


def drawn(policy: Policy, space: SearchSpace, count: int, rng: np.random.Generator) -> Iterator[Candidate]:
    """Up to `count` different candidates: the likeliest one, then what the policy draws."""
    met: set[str] = set()
    rows = (policy.sample(1, rng)[0] for _ in range(DRAWS * count))
    assignments = chain([policy.likeliest()], (policy.assignment(row) for row in rows))
    for candidate in map(space.to_candidate, assignments):
        if candidate.fingerprint not in met:
            met.add(candidate.fingerprint)
            yield candidate
        if len(met) == count:
            return


def evolved(
    policy: Policy, space: SearchSpace, count: int, worth: Worth, rng: np.random.Generator
) -> Iterator[Candidate]:
    """Up to `count` different candidates: a population that the policy draws, then mutants of the best of some of them.

    The oldest leaves, as in Real et al. 2019, Regularized Evolution for Image Classifier Architecture Search.
    """
    population: deque[Candidate] = deque(maxlen=POPULATION)
    taken: set[Identity] = set()
    for candidate in drawn(policy, space, min(POPULATION, count), rng):
        population.append(candidate)
        taken.add(Suggestion(candidate).identity)
        yield candidate
    while len(taken) < count:
        places = rng.permutation(len(population))[:TOURNAMENT]
        parent = max((population[int(at)] for at in places), key=worth)
        child = unseen_mutant(space, parent, taken, rng)
        if child is None:
            return
        population.append(child)
        taken.add(Suggestion(child).identity)
        yield child
