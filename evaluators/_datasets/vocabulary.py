"""Turns the values of a categorical column into ids, known from the training part alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._errors import DataError

OUT_OF_VOCABULARY = 0


@dataclass(frozen=True, eq=False)
class Vocabulary:
    """The values that have an id: row i of `table` (value, count) is id i + 1; id 0 is every other value.

    A missing value (null) is a value of its own.
    """

    table: pl.DataFrame

    @classmethod
    def ranked(cls, counts: pl.DataFrame) -> Vocabulary:
        """Ids by descending count, then by value, of a table (value, count)."""
        return cls(counts.select("value", "count").sort("count", "value", descending=[True, False], nulls_last=True))

    @classmethod
    def of(cls, values: Sequence[str | None], counts: Sequence[int] | None = None) -> Vocabulary:
        """A vocabulary of given values in the order of their ids; counts are 0 where nobody counted."""
        columns = {"value": list(values), "count": list(counts) if counts is not None else [0] * len(values)}
        return cls(pl.DataFrame(columns, schema={"value": pl.String, "count": pl.Int64}))

    @classmethod
    def read(cls, path: Path) -> Vocabulary:
        """Reads what `write` wrote.

        Raises:
            DataError: the file is missing or damaged.
        """
        try:
            return cls(pl.read_parquet(path, columns=["value", "count"]))
        except (OSError, pl.exceptions.PolarsError) as error:
            raise DataError(
                f"a prepared dataset needs its vocabularies, but {path} cannot be read ({error}); "
                "prepare the data again"
            ) from error

    def write(self, path: Path) -> None:
        """Keeps the table as parquet."""
        with path.open("wb") as file:
            self.table.write_parquet(file)

    @property
    def size(self) -> int:
        """Number of ids, with the one that is out of vocabulary."""
        return self.table.height + 1

    @property
    def values(self) -> list[str | None]:
        """The values in the order of their ids, from id 1 on."""
        values: list[str | None] = self.table["value"].to_list()
        return values

    def ids(self, column: pl.Series) -> NDArray[np.int32]:
        """The id of each value, int32 [rows]."""
        texts = column.cast(pl.String)
        numbered = self.table.select("value", id=pl.int_range(1, pl.len() + 1, dtype=pl.Int32))
        known = numbered.drop_nulls("value")
        null_id = numbered.filter(pl.col("value").is_null())["id"]
        found = texts.replace_strict(
            known["value"], known["id"], default=OUT_OF_VOCABULARY, return_dtype=pl.Int32
        ).to_numpy()
        missing = texts.is_null().to_numpy()
        return np.where(missing, np.int32(null_id[0] if len(null_id) else OUT_OF_VOCABULARY), found).astype(np.int32)
