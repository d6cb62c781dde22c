"""Which column of a table plays which part, and where a row came from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from evaluators._errors import DataError
from searchspaces import did_you_mean


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


@dataclass(frozen=True)
class Origin:
    """Where the rows of a chunk stand in their file, for messages."""

    file: object
    first: int = 1
    unit: str = "row"

    def place(self, index: int) -> str:
        """Where the row at `index` of the chunk stands.

        >>> Origin("clicks.csv", first=100, unit="line").place(5)
        'line 105'
        """
        return f"{self.unit} {self.first + index}"


def require_columns(wanted: Sequence[str], found: Sequence[str], *, file: object) -> None:
    """Refuses a table that lacks a column.

    Raises:
        DataError: names the first ten missing columns, and what is nearest to the first.
    """
    missing = [name for name in wanted if name not in found]
    if missing:
        names = ", ".join(repr(name) for name in missing[:10])
        more = f" and {len(missing) - 10} more" if len(missing) > 10 else ""
        raise DataError(
            f"a table must have each column that is named for it, but {file} has no {names}{more}; "
            f"{did_you_mean(missing[0], found)}"
        )
