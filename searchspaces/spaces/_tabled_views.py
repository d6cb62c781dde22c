"""How the candidates of a table are looked at: their decisions, and numbers that say which are near each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from searchspaces._candidate import Candidate
from searchspaces._decisions import Assignment, Choice, Decision, OptionChoice
from searchspaces._errors import CandidateError
from searchspaces._options import Options
from searchspaces._space import SearchSpace
from searchspaces.spaces._row_codes import RowCodes

Vector = NDArray[np.float64]

ROW = "row"
ABSENT = ""
FEW = 32
"""Values of a number up to which it also counts that it differs, not only by how much."""


class View(Protocol):
    """A way to describe candidates of a table and others like them."""

    def decisions(self) -> tuple[Decision, ...]:
        """Every slot."""
        ...

    def decode(self, assignment: Assignment) -> Candidate:
        """The candidate of an assignment, in the table or not."""
        ...

    def assignment(self, candidate: Candidate) -> Assignment:
        """An assignment of a candidate of the table."""
        ...

    def place(self, candidate: Candidate) -> Vector:
        """Coordinates: candidates are as far apart as their coordinates differ in sum."""
        ...

    def places(self) -> NDArray[np.float64]:
        """Coordinates of the candidates of the table, [candidates, coordinates]."""
        ...

    def code(self, candidate: Candidate) -> Vector:
        """What predictors get to see."""
        ...


class SourceView:
    """The decisions and the encoding of the space that the candidates were drawn from.

    Near is what is near in that space's encoding, which tells blocks by their place, and in counts of blocks, options
    and edges, which do not: each measure counts as much as the other over the table.
    """

    def __init__(self, source: SearchSpace, rows: Sequence[Candidate]) -> None:
        self._source = source
        codes = np.array([source.encode(row) for row in rows])
        self._low, span = codes.min(axis=0), np.ptp(codes, axis=0)
        self._span = np.where(span > 0, span, 1.0)
        self._counts, counted = RowCodes.of(rows)
        self._weights = tuple(1.0 / max(_mean_distance(one), 1e-9) for one in (self._scaled(codes), counted))
        self._places = np.hstack([self._weights[0] * self._scaled(codes), self._weights[1] * counted])

    def decisions(self) -> tuple[Decision, ...]:
        return self._source.decisions()

    def decode(self, assignment: Assignment) -> Candidate:
        return self._source.to_candidate(assignment)

    def assignment(self, candidate: Candidate) -> Assignment:
        return self._source.to_assignment(candidate)

    def place(self, candidate: Candidate) -> Vector:
        code = self._scaled(self._source.encode(candidate))
        return np.concatenate([self._weights[0] * code, self._weights[1] * self._counts.code(candidate)])

    def places(self) -> NDArray[np.float64]:
        return self._places

    def code(self, candidate: Candidate) -> Vector:
        return self._source.encode(candidate)

    def _scaled(self, codes: Vector) -> Vector:
        scaled: Vector = (codes - self._low) / self._span
        return scaled


class SettingsView:
    """One decision for each setting that varies; where it is absent in some rows, that is a choice too.

    Near is what differs in few settings, and in numbers by little: a difference counts one half, the other half is
    its share of the range.
    """

    def __init__(self, rows: Sequence[Candidate]) -> None:
        self._codes, coded = RowCodes.of(rows)
        flats = [_flat(row) for row in rows]
        every = [_Setting.of(slot, flats) for slot in sorted({slot for flat in flats for slot in flat})]
        self._settings = tuple(one for one in every if len(one.choices) > 1)
        self._common = {one.slot: flats[0][one.slot] for one in every if len(one.choices) == 1}
        self._places = np.hstack([0.5 * coded, *(one.coordinates(flats) for one in self._settings)])

    def decisions(self) -> tuple[Decision, ...]:
        return tuple(OptionChoice(one.slot, one.choices) for one in self._settings)

    def decode(self, assignment: Assignment) -> Candidate:
        flat = dict(self._common)
        for setting in self._settings:
            if setting.slot not in assignment:
                raise CandidateError(f"an assignment decides every slot, but {setting.slot!r} is missing")
            value = setting.value(assignment[setting.slot])
            if value is not _NOTHING:
                flat[setting.slot] = value
        groups: dict[str, dict[str, object]] = {"training": {}, "system": {}}
        for slot, value in flat.items():
            group, _, name = slot.partition(".")
            groups[group][name] = value
        return Candidate(None, Options(groups["training"]), Options(groups["system"]))

    def assignment(self, candidate: Candidate) -> Assignment:
        flat = _flat(candidate)
        return {one.slot: one.choices[one.at(flat)] for one in self._settings}

    def place(self, candidate: Candidate) -> Vector:
        flat = [_flat(candidate)]
        return np.concatenate(
            [0.5 * self._codes.code(candidate), *(one.coordinates(flat)[0] for one in self._settings)]
        )

    def places(self) -> NDArray[np.float64]:
        return self._places

    def code(self, candidate: Candidate) -> Vector:
        return self._codes.code(candidate)


class RowView:
    """One decision, the number of the row: for architectures of which nobody knows the space."""

    def __init__(self, rows: Sequence[Candidate]) -> None:
        self._rows = tuple(rows)
        self._number = {row.fingerprint: at for at, row in enumerate(rows)}
        self._codes, self._places = RowCodes.of(rows)

    def decisions(self) -> tuple[Decision, ...]:
        return (OptionChoice(ROW, tuple(range(len(self._rows)))),)

    def decode(self, assignment: Assignment) -> Candidate:
        row = assignment.get(ROW)
        if not isinstance(row, int) or isinstance(row, bool) or not 0 <= row < len(self._rows):
            raise CandidateError(f"{ROW!r} must be a row from 0 to {len(self._rows) - 1}, but is {row!r}")
        return self._rows[row]

    def assignment(self, candidate: Candidate) -> Assignment:
        return {ROW: self._number[candidate.fingerprint]}

    def place(self, candidate: Candidate) -> Vector:
        return self._codes.code(candidate)

    def places(self) -> NDArray[np.float64]:
        return self._places

    def code(self, candidate: Candidate) -> Vector:
        return self._codes.code(candidate)


Flat = dict[str, object]

_NOTHING = object()
"""What a setting is in a row that lacks it; None is a value."""


@dataclass(frozen=True)
class _Setting:
    """A setting by its slot: its values in the table as JSON, what they are, and how an assignment says them."""

    slot: str
    places: Mapping[str, int]
    values: tuple[object, ...]
    choices: tuple[Choice, ...]

    @classmethod
    def of(cls, slot: str, flats: Sequence[Flat]) -> _Setting:
        found = {json.dumps(flat[slot]): flat[slot] for flat in flats if slot in flat}
        is_everywhere = all(slot in flat for flat in flats)
        values = [one for one in found.values() if isinstance(one, bool | int | float | str)]
        if is_everywhere and len(values) == len(found) and len({type(one) for one in values}) == 1:
            ordered = sorted(values, key=_order)
            return cls(slot, {json.dumps(one): at for at, one in enumerate(ordered)}, tuple(ordered), tuple(ordered))
        texts = ([] if is_everywhere else [ABSENT]) + sorted(found)
        meant = tuple(found.get(text, _NOTHING) for text in texts)
        return cls(slot, {text: at for at, text in enumerate(texts)}, meant, tuple(texts))

    def at(self, flat: Flat) -> int:
        """Place of the value among those of the table."""
        return self.places[json.dumps(flat[self.slot]) if self.slot in flat else ABSENT]

    def value(self, choice: Choice) -> object:
        """What an assignment means by it, or nothing.

        Raises:
            CandidateError: it is no choice.
        """
        if choice not in self.choices:
            raise CandidateError(f"{self.slot!r} must be one of {list(self.choices)}, but is {choice!r}")
        return self.values[self.choices.index(choice)]

    def coordinates(self, flats: Sequence[Flat]) -> NDArray[np.float64]:
        """A quarter in the column of the value, so that two that differ are one half apart; none for many values."""
        found = np.zeros((len(flats), len(self.values) if len(self.values) <= FEW else 0))
        if found.shape[1]:
            found[np.arange(len(flats)), [self.at(flat) for flat in flats]] = 0.25
        return found


def _order(value: object) -> tuple[float, str]:
    """Numbers by size, all else by its text."""
    return (float(value), "") if isinstance(value, int | float) else (0.0, str(value))


def _flat(candidate: Candidate) -> Flat:
    return {
        **{f"training.{name}": value for name, value in candidate.training.items()},
        **{f"system.{name}": value for name, value in candidate.system.items()},
    }


def _mean_distance(codes: NDArray[np.float64]) -> float:
    """Mean of the distances of rows: of each column from its sorted values, so that no pair is formed."""
    count = len(codes)
    weights = 2.0 * np.arange(count) - count + 1.0
    return float((np.sort(codes, axis=0).T @ weights).sum() * 2.0 / (count * max(count - 1, 1)))
