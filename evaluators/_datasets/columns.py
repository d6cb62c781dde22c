"""Which column of a table plays which part, and the tables themselves once they are typed."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import polars as pl

from evaluators._datasets.dataset import Facts
from evaluators._errors import DataError


@dataclass(frozen=True)
class Columns:
    """Names of the columns to read, in the order of the prepared fields."""

    label: str
    dense: tuple[str, ...]
    categorical: tuple[str, ...]
    time: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """All of them."""
        time = () if self.time is None else (self.time,)
        return (self.label, *self.dense, *self.categorical, *time)


@dataclass(frozen=True, eq=False)
class Source:
    """A source that has been read: typed tables by part (see `typed`), before any value has an id."""

    parts: Mapping[str, pl.DataFrame]
    columns: Columns
    facts: Facts


def closest(name: str, known: Collection[str]) -> str:
    """`; did you mean 'x'?` where a known name is near, else nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def require_columns(wanted: Sequence[str], found: Collection[str], *, file: object) -> None:
    """Refuses a table that lacks a column.

    Raises:
        DataError: names every missing column, with the nearest that is there.
    """
    missing = [name for name in wanted if name not in found]
    if missing:
        lines = ", ".join(f"{name!r}{closest(name, found)}" for name in missing[:10])
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise DataError(
            f"a table must have each column that is named for it, but {file} has no {lines}{more} "
            f"(it has: {', '.join(list(found)[:20])}{', ...' if len(found) > 20 else ''})"
        )
