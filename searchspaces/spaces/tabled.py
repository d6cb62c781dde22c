"""Search space of a table of trainings: its candidates and no others, with the decisions of the space they are from.

Other than in the space `table`, where a candidate is the number of a row, a searcher sees what it would see in the
whole space: typed decisions, edits, encodings. So what wins a race on a table is what would win outside of it.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._decisions import Assignment, Decision
from searchspaces._errors import CandidateError, SearchSpaceError, SpaceError
from searchspaces._plugins import load_plugin
from searchspaces._schema import FeatureSchema
from searchspaces._space import SearchSpace
from searchspaces.cost import shapes
from searchspaces.spaces._tabled_views import RowView, SettingsView, SourceView, View
from searchspaces.trial_rows import read_candidates, read_searched

__all__ = ["Tabled"]

ROOM = "searchspaces.spaces"
TRIALS_FILE, FACTS_FILE = "trials.parquet", "table.json"
MEAN_RANK = 8
"""Of the row that a mutation goes to, among the others by distance."""

NEAREST = 256
"""Rows next to a parent that a mutation can go to: the chance of a farther one is below 1e-14."""


class Tabled:
    """The candidates of a table, each in reach from its neighbours.

    `table` is the folder that `automl bench table` wrote: decisions and encoding are those of the space that the
    candidates were drawn from, and an assignment that decodes to another candidate stands for the nearest row. Or it
    is a file of finished trials, as the space `table` reads it, with `training` and `system` naming its settings: each
    that varies is a decision.

    Raises:
        SpaceError: the table cannot be read, has fewer than two candidates, or one that the schema cannot feed.
    """

    def __init__(
        self, schema: FeatureSchema, *, table: str, training: Sequence[str] = (), system: Sequence[str] = ()
    ) -> None:
        place = Path(table)
        is_made = place.is_dir()
        rows = (
            read_searched(place / TRIALS_FILE) if is_made else read_candidates(place, training=training, system=system)
        )
        if len(rows) < 2:
            raise SpaceError(f"a table needs two different candidates, but {table} has one")
        checked = [_checked(row, schema, f"candidate {at} of {table}") for at, row in enumerate(rows)]
        self._fill(checked, _source(place, schema) if is_made else None)

    @classmethod
    def of(cls, rows: Sequence[Candidate]) -> Tabled:
        """The space of these candidates, at least two and all different, that somebody else has read."""
        made = cls.__new__(cls)
        made._fill(rows, None)
        return made

    def _fill(self, rows: Sequence[Candidate], source: SearchSpace | None) -> None:
        self._rows = tuple(rows)
        self._number = {row.fingerprint: at for at, row in enumerate(self._rows)}
        self._view: View = _view(source, self._rows)
        self._places = self._view.places()
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


def _view(source: SearchSpace | None, rows: Sequence[Candidate]) -> View:
    if source is not None:
        return SourceView(source, rows)
    return RowView(rows) if any(row.architecture for row in rows) else SettingsView(rows)


def _source(folder: Path, schema: FeatureSchema) -> SearchSpace:
    file = folder / FACTS_FILE
    try:
        spec = json.loads(file.read_text(encoding="utf-8"))["space"]
        options = {name: value for name, value in spec.items() if name != "name"}
        made: SearchSpace = load_plugin(ROOM, spec["name"])(schema, **options)
        return made
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        if isinstance(error, SearchSpaceError):
            raise
        raise SpaceError(
            f"a table says in {FACTS_FILE} which space it is of, but {file} cannot be read: {error!r}; make the table "
            "with 'automl bench table', or name a file of trials"
        ) from error


def _checked(candidate: Candidate, schema: FeatureSchema, where: str) -> Candidate:
    if candidate.architecture is None:
        return candidate
    try:
        shapes(candidate.architecture, schema)
    except SearchSpaceError as error:
        raise SpaceError(f"{where} does not fit the fields of the data: {error}") from error
    return Candidate(canonical(candidate.architecture), candidate.training, candidate.system)
