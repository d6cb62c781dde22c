"""Divides the rows of one table into train, valid and test: by time where there is one, else by a seeded hash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._datasets.columns import Columns
from evaluators._datasets.encode import in_time_order
from evaluators._errors import DataError


@dataclass(frozen=True)
class Shares:
    """Which share of the rows goes to valid and to test; the rest trains. A test share of 0 makes no test part."""

    valid: float = 0.1
    test: float = 0.1

    @property
    def cuts(self) -> tuple[float, float]:
        """Where valid and test begin, as shares of the rows."""
        return 1.0 - self.valid - self.test, 1.0 - self.test


def split_rows(frame: pl.DataFrame, columns: Columns, *, shares: Shares, seed: int) -> Mapping[str, pl.DataFrame]:
    """The parts of a typed table.

    By time, rows of one instant stay together: those at a cut go to the later part. Without a time, a row's
    part depends on its number and the seed alone.

    Raises:
        DataError: a part comes out empty.
    """
    if columns.time is not None:
        frame = in_time_order(frame, columns)
        starts = _time_cuts(frame[columns.time].to_numpy(), shares)
        ends = (*starts[1:], frame.height)
        parts = {name: frame[start:end] for name, start, end in zip(_NAMES, starts, ends, strict=True)}
    else:
        place = np.digitize(uniform_of_row(frame.height, seed), shares.cuts)
        parts = {name: frame.filter(pl.Series(place == number)) for number, name in enumerate(_NAMES)}
    if shares.test <= 0:
        parts["valid"] = pl.concat([parts["valid"], parts.pop("test")])
    _refuse_empty(parts, frame.height)
    return parts


_NAMES = ("train", "valid", "test")


def _refuse_empty(parts: Mapping[str, pl.DataFrame], rows: int) -> None:
    for name, part in parts.items():
        if part.is_empty():
            raise DataError(
                f"each part needs rows, but the split leaves {name} empty (of {rows} rows in all); "
                "give it a larger share, or a time column with more distinct values"
            )


def _time_cuts(time: NDArray[np.float64], shares: Shares) -> tuple[int, int, int]:
    rows = len(time)
    first, second = (min(round(cut * rows), rows) for cut in shares.cuts)
    valid, test = (
        int(np.searchsorted(time, time[cut], side="left")) if cut < rows else rows for cut in (first, second)
    )
    return 0, valid, test


def uniform_of_row(rows: int, seed: int) -> NDArray[np.float64]:
    """A number in [0, 1) for each row number, float64 [rows].

    The finaliser of splitmix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014):
    a row's number does not depend on how many rows there are, as a generator's stream would under batching.
    """
    with np.errstate(over="ignore"):
        mixed = np.arange(1, rows + 1, dtype=np.uint64) + np.uint64(seed & 0xFFFFFFFF) * np.uint64(0xD1342543DE82EF95)
        mixed = mixed * np.uint64(0x9E3779B97F4A7C15)
        mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        mixed = mixed ^ (mixed >> np.uint64(31))
    return (mixed >> np.uint64(11)).astype(np.float64) / float(1 << 53)
