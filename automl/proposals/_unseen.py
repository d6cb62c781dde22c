"""Candidates that nobody has tried: by chance, next to a parent, or the last ones of a small space."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Set
from itertools import islice

import numpy as np

from evaluators import Suggestion
from searchspaces import Assignment, Candidate, Choice, Decision, SearchSpace
from searchspaces.spaces.tabled import Tabled

Identity = tuple[str, int, int]
Allows = Callable[[Candidate], bool]
"""Whether a candidate may be proposed at all."""

DRAWS = 200  # in a row without anything new, before a sampler counts as dry
ENUMERATED = 20_000  # assignments that are worth listing where sampling is dry
DRAWS_PER_MUTANT = 4
DRY_DRAWS = 50  # mutants in a row without anything new, before a neighbourhood counts as dry


def sample_unseen(space: SearchSpace, taken: Set[Identity], rng: np.random.Generator) -> Candidate | None:
    """A random candidate whose identity is not taken; None where the space is exhausted.

    Where sampling finds nothing new, the space's first assignments are listed, so that a small space is
    searched to its last candidate.
    """
    for _ in range(DRAWS):
        candidate = space.sample(rng)
        if Suggestion(candidate).identity not in taken:
            return candidate
    return _listed_unseen(space, taken, rng)


def unseen_mutants(
    space: SearchSpace,
    parent: Candidate,
    count: int,
    taken: Set[Identity],
    rng: np.random.Generator,
    *,
    edits: int = 1,
    allows: Allows = lambda _: True,
) -> list[Candidate]:
    """Up to `count` distinct mutants of `parent`, `edits` mutations away, allowed, not taken, in the order drawn.

    Fewer where four draws a mutant, or fifty draws in a row, do not find more: most neighbours have
    then been found, and the rest is not worth the seconds.
    """
    mutants: dict[Identity, Candidate] = {}
    dry = 0
    for _ in range(DRAWS_PER_MUTANT * count):
        mutant = _mutated(space, parent, edits, rng)
        identity = Suggestion(mutant).identity
        is_new = identity not in taken and identity not in mutants
        if is_new and not allows(mutant):
            continue  # no sign that the neighbourhood is known
        if is_new:
            mutants[identity] = mutant
        dry = 0 if is_new else dry + 1
        if len(mutants) == count or dry == DRY_DRAWS:
            break
    return list(mutants.values())


def unseen_mutant(
    space: SearchSpace,
    parent: Candidate,
    taken: Set[Identity],
    rng: np.random.Generator,
    *,
    edits: int = 1,
    allows: Allows = lambda _: True,
) -> Candidate | None:
    """One mutant of `parent`, `edits` mutations away, allowed, not taken; None where fifty draws do not find any."""
    for _ in range(DRY_DRAWS):
        mutant = _mutated(space, parent, edits, rng)
        if Suggestion(mutant).identity not in taken and allows(mutant):
            return mutant
    return None


def every_assignment(space: SearchSpace, most: int) -> list[Assignment] | None:
    """All assignments of a small space, one for each candidate of a table; None where there are more than `most`."""
    if isinstance(space, Tabled):
        rows = space.candidates()
        return [space.to_assignment(row) for row in rows] if len(rows) <= most else None
    found = list(islice(_assignments(space.decisions(), {}), most + 1))
    return found if len(found) <= most else None


def _mutated(space: SearchSpace, parent: Candidate, edits: int, rng: np.random.Generator) -> Candidate:
    """The candidate after so many mutations in a row, which may undo each other."""
    for _ in range(edits):
        parent = space.mutate(parent, rng)
    return parent


def _listed_unseen(space: SearchSpace, taken: Set[Identity], rng: np.random.Generator) -> Candidate | None:
    listed = list(islice(_assignments(space.decisions(), {}), ENUMERATED))
    for index in rng.permutation(len(listed)):
        candidate = space.to_candidate(listed[index])
        if Suggestion(candidate).identity not in taken:
            return candidate
    return None


def _assignments(decisions: tuple[Decision, ...], made: dict[str, Choice]) -> Iterator[Assignment]:
    if not decisions:
        yield made
        return
    first, rest = decisions[0], decisions[1:]
    if not first.counts(made):
        yield from _assignments(rest, made)
        return
    for choice in first.choices:
        yield from _assignments(rest, {**made, first.slot: choice})
