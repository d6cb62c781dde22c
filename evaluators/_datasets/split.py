"""Divides rows into train, valid and test, without having them in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from evaluators._datasets.ordering import in_time_order, is_ordered
from evaluators._datasets.part import PART_NAMES
from evaluators._datasets.stored import Appended, Stored

Places = NDArray[np.uint8]
"""Number in `PART_NAMES` of each row's part."""

PUBLISHED_SEED, PUBLISHED_FOLDS = 2018, 10


@dataclass(frozen=True)
class Shares:
    """Which share of the rows goes to valid and to test; the rest trains. A test share of 0 makes no test part."""

    valid: float = 0.1
    test: float = 0.1

    @property
    def cuts(self) -> tuple[float, float]:
        """Where valid and test begin, as shares of the rows."""
        return 1.0 - self.valid - self.test, 1.0 - self.test

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that come out."""
        return PART_NAMES if self.test > 0 else PART_NAMES[:2]

    def starts(self, rows: int) -> tuple[int, int]:
        """Where valid and test begin, as row numbers."""
        first, second = (min(round(cut * rows), rows) for cut in self.cuts)
        return first, second


@dataclass(frozen=True)
class Rows:
    """What a split may see of the rows, all in the order of their file; `folder` is for files of its own."""

    count: int
    label: Stored
    time: Stored | None
    given: Stored
    folder: Path


class Split(Protocol):
    """A rule that divides rows."""

    @property
    def facts(self) -> Mapping[str, Any]:
        """The rule in words and numbers."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that come out."""

    def places(self, rows: Rows) -> Iterator[Places]:
        """The part of each row, block by block."""


@dataclass(frozen=True)
class Given:
    """The parts that the source gives."""

    parts: tuple[str, ...]

    @property
    def facts(self) -> Mapping[str, Any]:
        """The rule in words."""
        return {"rule": "given"}

    def places(self, rows: Rows) -> Iterator[Places]:
        """As they were read."""
        yield from rows.given.blocks()


@dataclass(frozen=True)
class ByTime:
    """The latest rows test. Rows of one instant stay together: those at a cut go to the later part."""

    shares: Shares

    @property
    def facts(self) -> Mapping[str, Any]:
        """The rule in words and numbers."""
        return {"rule": "time", "valid": self.shares.valid, "test": self.shares.test}

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that come out."""
        return self.shares.parts

    def places(self, rows: Rows) -> Iterator[Places]:
        """By the times at which valid and test begin."""
        assert rows.time is not None  # only a source with a time column has this rule
        cuts = self._cut_times(rows.time, rows.folder)
        for block in rows.time.blocks():
            yield np.searchsorted(cuts, block, side="right").astype(np.uint8)

    def _cut_times(self, times: Stored, folder: Path) -> list[float]:
        starts = self.shares.starts(times.rows)
        if is_ordered(times):
            return [float(times.read(start, start + 1)[0]) if start < times.rows else np.inf for start in starts]
        found, seen = [np.inf, np.inf], 0
        keyed = Stored(times.path, np.dtype([("time", times.kind)]), times.rows)
        for block in in_time_order(keyed, folder):
            for number, start in enumerate(starts):
                if seen <= start < seen + len(block):
                    found[number] = float(block["time"][start - seen])
            seen += len(block)
        return found


@dataclass(frozen=True)
class ByOrder:
    """The last rows of the file test: for a log that is written in time order and has no time column."""

    shares: Shares

    @property
    def facts(self) -> Mapping[str, Any]:
        """The rule in words and numbers."""
        return {"rule": "order of the file", "valid": self.shares.valid, "test": self.shares.test}

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that come out."""
        return self.shares.parts

    def places(self, rows: Rows) -> Iterator[Places]:
        """By the row's number."""
        starts = self.shares.starts(rows.count)
        for first, last in _ranges(rows.count):
            yield np.searchsorted(starts, np.arange(first, last), side="right").astype(np.uint8)


@dataclass(frozen=True)
class ByHash:
    """A row's part depends on its number and the seed alone."""

    shares: Shares
    seed: int

    @property
    def facts(self) -> Mapping[str, Any]:
        """The rule in words and numbers."""
        shares = {"valid": self.shares.valid, "test": self.shares.test}
        return {"rule": "hash of the row number", "seed": self.seed, **shares}

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that come out."""
        return self.shares.parts

    def places(self, rows: Rows) -> Iterator[Places]:
        """By the hash of the row's number."""
        for first, last in _ranges(rows.count):
            place = np.digitize(uniform_of_row(first, last, self.seed), self.shares.cuts)
            yield np.minimum(place, 2 if self.shares.test > 0 else 1).astype(np.uint8)


@dataclass(frozen=True)
class Stratified:
    """The random split of the published tables: ten folds stratified by the label; one tests, one validates.

    The folds are those of scikit-learn 0.19's `StratifiedKFold(10, shuffle=True, random_state=2018)`, as Song et al.
    (AutoInt, 2019) and the leaderboards after them made them; later releases of it deal rows out otherwise. This
    rule alone holds something for every row: five bytes.
    """

    seed: int = PUBLISHED_SEED

    @property
    def facts(self) -> Mapping[str, Any]:
        """The rule in words and numbers."""
        return {"rule": "stratified random folds", "seed": self.seed, "valid": 0.1, "test": 0.1}

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that come out."""
        return PART_NAMES

    def places(self, rows: Rows) -> Iterator[Places]:
        """By the row's fold among the rows of its label."""
        clicks = sum(int(block.sum(dtype=np.float64)) for block in rows.label.blocks())
        by_label = [self._folds(count) for count in (rows.count - clicks, clicks)]
        taken = [0, 0]
        for block in rows.label.blocks():
            place = np.empty(len(block), np.uint8)
            for label, folds in enumerate(by_label):
                own = block == label
                end = taken[label] + int(own.sum())
                place[own] = folds[taken[label] : end]
                taken[label] = end
            yield place

    def _folds(self, count: int) -> Places:
        order = np.arange(count, dtype=np.int32)
        np.random.RandomState(self.seed).shuffle(order)
        tenth, more = divmod(count, PUBLISHED_FOLDS)
        sizes = [tenth + (fold < more) for fold in range(PUBLISHED_FOLDS)]
        place = np.zeros(count, np.uint8)
        place[order[: sizes[0]]] = 2
        place[order[sizes[0] : sizes[0] + sizes[1]]] = 1
        return place


def divide(split: Split, rows: Rows) -> Stored:
    """The part of each row, on disk."""
    with Appended(rows.folder / "place", np.uint8) as places:
        for block in split.places(rows):
            places.append(block)
        return places.stored()


def _ranges(rows: int, step: int = 1 << 20) -> Iterator[tuple[int, int]]:
    return ((first, min(first + step, rows)) for first in range(0, rows, step))


def uniform_of_row(first: int, last: int, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each row number from `first` to `last`, that one left out.

    The finaliser of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014):
    a row's number does not depend on how many rows there are, as a generator's stream would under batching.
    """
    with np.errstate(over="ignore"):
        rows = np.arange(first + 1, last + 1, dtype=np.uint64)
        mixed = rows + np.uint64(seed & 0xFFFFFFFF) * np.uint64(0xD1342543DE82EF95)
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)
