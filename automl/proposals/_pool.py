"""A pool of candidates to choose from: neighbours of the best, a few farther ones, children, and some by chance."""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from automl.proposals._unseen import Identity, every_assignment, sample_unseen
from evaluators import Suggestion, Trial
from searchspaces import Candidate, SearchSpace

NEAR, FAR, CHILDREN = 0.70, 0.15, 0.05
"""Shares of mutants by one edit, by two to four, and of crossovers; the rest is random."""
MOST_EDITS = 4
DRAWS_EACH = 2
"""Per place in the pool; what draws do not fill stays empty."""


@dataclass(frozen=True)
class Proposal:
    """A candidate, the numbers of the trials that it was made of, and how."""

    candidate: Candidate
    parents: tuple[int, ...]
    origin: str

    def suggestion(self) -> Suggestion:
        """As a searcher gives it."""
        return Suggestion(self.candidate, parents=self.parents, origin=self.origin)


@dataclass(frozen=True)
class SmallSpace:
    """All candidates of a space that has no more than `most` assignments, which need no neighbourhoods to be found."""

    space: SearchSpace
    most: int

    def pool(self, taken: Set[Identity]) -> list[Proposal]:
        """Those that nobody has tried; none of a larger space."""
        return [one for identity, one in self._every.items() if identity not in taken]

    @cached_property
    def _every(self) -> dict[Identity, Proposal]:
        listed = every_assignment(self.space, self.most) or []
        found = [Proposal(self.space.to_candidate(one), (), "listed") for one in listed]
        return {one.suggestion().identity: one for one in found}


def propose_pool(
    space: SearchSpace, parents: Sequence[Trial], size: int, *, taken: Set[Identity], rng: np.random.Generator
) -> list[Proposal]:
    """Up to `size` different proposals that nobody has tried; parents must be points of the space.

    Without parents all are random. In a space that is nearly exhausted, those that are left.
    """
    draws: list[tuple[Callable[[], Proposal | None], float]] = [
        (lambda: _mutant(space, parents, rng, edits=1), NEAR),
        (lambda: _mutant(space, parents, rng, edits=int(rng.integers(2, MOST_EDITS + 1))), FAR),
        (lambda: _child(space, parents, rng), CHILDREN),
    ]
    found: dict[Identity, Proposal] = {}
    for draw, share in draws if parents else ():
        _fill(found, draw, round(share * size), taken)
    chance = 1.0 - (NEAR + FAR + CHILDREN) if parents else 1.0
    _fill(found, lambda: Proposal(space.sample(rng), (), "random"), max(1, round(chance * size)), taken)
    if not found and (last := sample_unseen(space, taken, rng)) is not None:
        return [Proposal(last, (), "random")]
    return list(found.values())


def _fill(
    found: dict[Identity, Proposal], draw: Callable[[], Proposal | None], count: int, taken: Set[Identity]
) -> None:
    aim = len(found) + count
    for _ in range(DRAWS_EACH * count):
        if len(found) >= aim:
            return
        proposal = draw()
        if proposal is not None and (identity := proposal.suggestion().identity) not in taken:
            found.setdefault(identity, proposal)


def _mutant(space: SearchSpace, parents: Sequence[Trial], rng: np.random.Generator, *, edits: int) -> Proposal:
    parent = parents[int(rng.integers(len(parents)))]
    candidate = parent.candidate
    for _ in range(edits):
        candidate = space.mutate(candidate, rng)
    return Proposal(candidate, (parent.number,), "mutation")


def _child(space: SearchSpace, parents: Sequence[Trial], rng: np.random.Generator) -> Proposal | None:
    if len(parents) < 2:
        return None
    one, other = (parents[int(at)] for at in rng.choice(len(parents), 2, replace=False))
    child = space.crossover(one.candidate, other.candidate, rng)
    return Proposal(child, (one.number, other.number), "crossover")
