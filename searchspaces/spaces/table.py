"""Search space of the rows of a table: candidates that have been measured before, and no others.

For races of searchers at no cost, and for questions to what is known: with an evaluator that looks the
rows up, a whole search takes seconds (Ying, Klein, Christiansen, Real, Murphy, Hutter 2019, NAS-Bench-101:
towards reproducible neural architecture search).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._decisions import Assignment, Decision, OptionChoice
from searchspaces._errors import CandidateError, SearchSpaceError, SpaceError
from searchspaces._schema import FeatureSchema
from searchspaces.cost import shapes
from searchspaces.spaces._row_codes import row_codes
from searchspaces.trial_rows import read_candidates

__all__ = ["Table"]

SLOT = "row"
MEAN_RANK = 8
"""Of the row that a mutation goes to, among all others by distance."""


class Table:
    """The different candidates of the finished trials in a CSV, Parquet or JSON-lines file.

    A row has its candidate in a column `candidate`, as the tracker `jsonl` writes it, or flat: `training` and
    `system` name the columns that hold its settings. Rows are near each other where blocks, options, edges and
    settings are: distances sum up the differences of all columns of the code.

    Raises:
        SpaceError: the file cannot be read, has fewer than two candidates, or one that the schema cannot feed.
    """

    def __init__(
        self, schema: FeatureSchema, *, file: str, training: Sequence[str] = (), system: Sequence[str] = ()
    ) -> None:
        rows = read_candidates(Path(file), training=training, system=system)
        if len(rows) < 2:
            raise SpaceError(f"a table needs two different candidates, but {file} has one")
        self._rows = tuple(_checked(row, schema, f"candidate {at} of {file}") for at, row in enumerate(rows))
        self._place = {row.fingerprint: at for at, row in enumerate(self._rows)}
        self._codes = row_codes(self._rows)

    def decisions(self) -> tuple[Decision, ...]:
        """One: the row, from 0, in the order in which the file first names a candidate."""
        return (OptionChoice(SLOT, tuple(range(len(self._rows)))),)

    def to_candidate(self, assignment: Assignment) -> Candidate:
        """The candidate of a row.

        Raises:
            CandidateError: the row is missing, or there is none of that number.
        """
        row = assignment.get(SLOT)
        if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row < len(self._rows):
            raise CandidateError(f"{SLOT!r} must be a row from 0 to {len(self._rows) - 1}, but is {row!r}")
        return self._rows[row]

    def to_assignment(self, candidate: Candidate) -> Assignment:
        """The number of the candidate's row.

        Raises:
            CandidateError: no row has this candidate.
        """
        return {SLOT: self._row(candidate)}

    def validate(self, candidate: Candidate) -> None:
        """Returns silently for a candidate of the table.

        Raises:
            CandidateError: no row has this candidate.
        """
        self._row(candidate)

    def sample(self, rng: np.random.Generator) -> Candidate:
        """Every row is as likely as any other."""
        return self._rows[int(rng.integers(len(self._rows)))]

    def mutate(self, parent: Candidate, rng: np.random.Generator) -> Candidate:
        """Another row, likely a near one: its rank by distance is geometric, so that all are in reach.

        Raises:
            CandidateError: the parent is not in the table.
        """
        row = self._row(parent)
        others = [int(at) for at in np.argsort(self._distances(self._codes[row]), kind="stable") if at != row]
        return self._rows[others[min(int(rng.geometric(1 / MEAN_RANK)), len(others)) - 1]]

    def crossover(self, one: Candidate, other: Candidate, rng: np.random.Generator) -> Candidate:
        """The row nearest to a code that takes each column from one of the two; a parent only where both are one.

        Raises:
            CandidateError: a parent is not in the table.
        """
        left, right = self._row(one), self._row(other)
        if left == right or len(self._rows) == 2:
            return self._rows[left]
        mixed = np.where(rng.random(self._codes.shape[1]) < 0.5, self._codes[left], self._codes[right])
        distances = self._distances(mixed)
        distances[[left, right]] = np.inf
        return self._rows[int(np.argmin(distances))]

    def encode(self, candidate: Candidate) -> NDArray[np.float64]:
        """Counts of blocks, options and edges, and settings, each from 0 to 1 over the table.

        Raises:
            CandidateError: no row has this candidate.
        """
        code: NDArray[np.float64] = self._codes[self._row(candidate)]
        return code.copy()

    def _row(self, candidate: Candidate) -> int:
        if candidate.fingerprint not in self._place:
            raise CandidateError(
                f"this space is a table of {len(self._rows)} candidates, and {candidate.fingerprint} is none of them"
            )
        return self._place[candidate.fingerprint]

    def _distances(self, code: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = np.abs(self._codes - code).sum(axis=1)
        return found


def _checked(candidate: Candidate, schema: FeatureSchema, where: str) -> Candidate:
    if candidate.architecture is None:
        return candidate
    try:
        shapes(candidate.architecture, schema)
    except SearchSpaceError as error:
        raise SpaceError(f"{where} does not fit the fields of the data: {error}") from error
    return Candidate(canonical(candidate.architecture), candidate.training, candidate.system)
