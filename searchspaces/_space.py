"""The interface of a search space."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._decisions import Assignment, Decision


class SearchSpace(Protocol):
    """A set of candidates with typed decisions and the way there and back.

    Promises: `to_candidate` accepts every assignment that gives each counting decision one of its
    choices; `to_candidate(to_assignment(c))` has the fingerprint of `c`; `sample`, `mutate` and
    `crossover` stay inside the space and draw from `rng` alone; nothing here changes the space.
    """

    def decisions(self) -> tuple[Decision, ...]:
        """Every slot, in an order where conditions point backwards."""
        ...

    def to_candidate(self, assignment: Assignment) -> Candidate:
        """Decodes an assignment into a canonical candidate.

        Raises:
            CandidateError: a counting decision is missing or has a value that is no choice of it.
        """
        ...

    def to_assignment(self, candidate: Candidate) -> Assignment:
        """One assignment that decodes to the candidate.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        ...

    def sample(self, rng: np.random.Generator) -> Candidate:
        """A random candidate."""
        ...

    def mutate(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        """A neighbour of `parent` with another fingerprint."""
        ...

    def crossover(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        """A child that takes each decision from one of the two."""
        ...

    def validate(self, candidate: Candidate) -> None:
        """Returns silently for a point of the space.

        Raises:
            CandidateError: the candidate is not a point of this space.
        """
        ...

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """A vector of fixed length, equal for candidates of one fingerprint."""
        ...
