"""Counts how often values occur, in bounded memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

SCHEMA = {"value": pl.String, "count": pl.Int64}
LIMIT_VALUES = 1 << 18
"""Partial counts that are held before they are added up."""

PILES = 16
"""Files that the counts of one field are dealt into, where they do not fit: one of them is added up at a time."""


class Counter:
    """Adds up partial counts of one column. `folder` is for files, where the values are many."""

    def __init__(self, folder: Path, *, limit: int | None = None) -> None:
        self._folder, self._limit = folder, limit or LIMIT_VALUES
        self._partial: list[pl.DataFrame] = []
        self._held = self._spills = 0

    def add(self, values: pl.Series, counts: NDArray[np.int64]) -> None:
        """Adds how often each value occurred; a count of 0 adds nothing."""
        seen = counts > 0
        frame = pl.DataFrame({"value": values, "count": counts}, schema=SCHEMA).filter(pl.Series(seen))
        self._partial.append(frame)
        self._held += frame.height
        if self._held > self._limit:
            self._shrink()

    def total(self, minimum_count: int) -> pl.DataFrame:
        """Each value (null is one) that occurred at least so often, with its count, in no particular order."""
        if not self._spills:
            return _kept(_added(self._partial), minimum_count)
        self._spill(_added(self._partial))
        piles = (self._pile(number) for number in range(PILES))
        return pl.concat([_kept(_added(pile), minimum_count) for pile in piles])

    def _shrink(self) -> None:
        added = _added(self._partial)
        if added.height > self._limit // 2:
            self._spill(added)
            added = added.clear()
        self._partial, self._held = [added], added.height

    def _spill(self, counts: pl.DataFrame) -> None:
        dealt = counts.with_columns(pile=pl.col("value").hash(0) % PILES).partition_by("pile", as_dict=True)
        for (number,), pile in dealt.items():
            with self._file(self._spills, int(number)).open("wb") as file:
                pile.drop("pile").write_ipc(file)
        self._spills += 1
        self._partial = []

    def _pile(self, number: int) -> list[pl.DataFrame]:
        files = [self._file(spill, number) for spill in range(self._spills)]
        found = [pl.read_ipc(file) for file in files if file.exists()]
        for file in files:
            file.unlink(missing_ok=True)
        return found

    def _file(self, spill: int, pile: int) -> Path:
        return self._folder / f"counts-{spill}-{pile}"


def _added(partial: list[pl.DataFrame]) -> pl.DataFrame:
    if not partial:
        return pl.DataFrame(schema=SCHEMA)
    return pl.concat(partial).group_by("value").agg(pl.col("count").sum())


def _kept(counts: pl.DataFrame, minimum_count: int) -> pl.DataFrame:
    return counts.filter(pl.col("count") >= minimum_count)
