"""What spaces whose candidates are rows have in common: nothing but the rows, each in reach from its neighbours."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._decisions import Assignment, Decision
from searchspaces._errors import CandidateError, SearchSpaceError, SpaceError
from searchspaces._schema import FeatureSchema
from searchspaces.cost import shapes
from searchspaces.spaces._tabled_views import View

MEAN_RANK = 8
"""Of the row that a mutation goes to, among the others by distance."""

NEAREST = 256
"""Rows next to a parent that a mutation can go to: the chance of a farther one is below 1e-14."""


class RowSpace:
    """At least two different candidates; a view tells their decisions, their code and which are near each other."""

    def __init__(self, rows: Sequence[Candidate], view: View) -> None:
        self._rows = tuple(rows)
        self._number = {row.fingerprint: at for at, row in enumerate(self._rows)}
        self._view = view
        self._places = view.places()
        self._neighbours: dict[int, NDArray[np.int64]] = {}

    def candidates(self) -> tuple[Candidate, ...]:
        """All points of the space, in the order of the table."""
        return self._rows

    def decisions(self) -> tuple[Decision, ...]:
        """Those of the source space, one a setting, or the row."""
        return self._view.decisions()

    def to_candidate(self, assignment: Assignment) -> Candidate:
        """The row of an assignment, or else the nearest one.

        Raises:
            CandidateError: a counting decision is missing or has a value that is no choice of it.
        """
        return self._nearest(self._view.decode(assignment))

    def to_assignment(self, candidate: Candidate) -> Assignment:
        """An assignment that decodes to the candidate exactly.

        Raises:
            CandidateError: no row has this candidate.
        """
        return self._view.assignment(self._rows[self._at(candidate)])

    def validate(self, candidate: Candidate) -> None:
        """Returns silently for a candidate of the table.

        Raises:
            CandidateError: no row has this candidate.
        """
        self._at(candidate)

    def sample(self, rng: np.random.Generator) -> Candidate:
        """Every row is as likely as any other."""
        return self._rows[int(rng.integers(len(self._rows)))]

    def mutate(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        """Another row, likely a near one: its rank by distance is geometric.

        Raises:
            CandidateError: the parent is not in the table.
        """
        others = self._others(self._at(parent))
        return self._rows[int(others[min(int(rng.geometric(1 / MEAN_RANK)), len(others)) - 1])]

    def crossover(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        """The row nearest to coordinates that are each from one of the two; a parent only where both are one.

        Raises:
            CandidateError: a parent is not in the table.
        """
        left, right = self._at(one), self._at(other)
        if left == right or len(self._rows) == 2:
            return self._rows[left]
        mixed = np.where(rng.random(self._places.shape[1]) < 0.5, self._places[left], self._places[right])
        distances = self._distances(mixed)
        distances[[left, right]] = np.inf
        return self._rows[int(np.argmin(distances))]

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """As the source space does, or settings from 0 to 1 over the table.

        Raises:
            CandidateError: no row has this candidate.
        """
        return np.array(self._view.code(self._rows[self._at(candidate)]), np.float64)

    def _nearest(self, candidate: Candidate) -> Candidate:
        at = self._number.get(candidate.fingerprint)
        return self._rows[int(np.argmin(self._distances(self._view.place(candidate)))) if at is None else at]

    def _at(self, candidate: Candidate) -> int:
        if candidate.fingerprint not in self._number:
            raise CandidateError(
                f"this space is a table of {len(self._rows)} candidates, and {candidate.fingerprint} is none of them"
            )
        return self._number[candidate.fingerprint]

    def _others(self, row: int) -> NDArray[np.int64]:
        if row not in self._neighbours:
            distances = self._distances(self._places[row])
            distances[row] = np.inf
            count = min(NEAREST, len(self._rows) - 1)
            self._neighbours[row] = np.argsort(distances, kind="stable")[:count]
        return self._neighbours[row]

    def _distances(self, place: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.abs(self._places - place).sum(axis=1)
        return found


def checked_rows(rows: Iterable[Candidate], schema: FeatureSchema, file: str) -> list[Candidate]:
    """The candidates in canonical form.

    Raises:
        SpaceError: there are fewer than two, or the schema cannot feed one; `file` is where they are from.
    """
    found = [_checked(row, schema, f"candidate {at} of {file}") for at, row in enumerate(rows)]
    if len(found) < 2:
        raise SpaceError(f"a table needs two different candidates, but {file} has one")
    return found


def _checked(candidate: Candidate, schema: FeatureSchema, where: str) -> Candidate:
    if candidate.architecture is None:
        return candidate
    try:
        shapes(candidate.architecture, schema)
    except SearchSpaceError as error:
        raise SpaceError(f"{where} does not fit the fields of the data: {error}") from error
    return Candidate(canonical(candidate.architecture), candidate.training, candidate.system)
