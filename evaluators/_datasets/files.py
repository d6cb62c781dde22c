"""Reads csv and parquet files chunk by chunk, with errors that name the file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from evaluators._datasets.columns import Origin, require_columns
from evaluators._datasets.lines import Text
from evaluators._errors import DataError

SEPARATORS = {".csv": ",", ".tsv": "\t", ".txt": "\t"}
PARQUET_ROWS = 1 << 16
"""Rows that are decoded at once."""

COLUMN_BYTES = 1 << 16
"""What is read ahead of each column."""

UNREADABLE = (OSError, pa.ArrowException, pl.exceptions.PolarsError)


class Table(Protocol):
    """A file of rows. Columns of a text come as text.

    Text, because a guess of types from the first rows would make 007 a number in one part and not in another.
    """

    def column_names(self) -> tuple[str, ...]:
        """The columns that it has."""

    def frames(self, wanted: Sequence[str]) -> Iterator[tuple[pl.DataFrame, Origin]]:
        """The wanted columns, some rows at a time, with where they stand."""


class Parquet:
    """A parquet file."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def rows(self) -> int:
        """How many rows, by the file's own account."""
        return int(self._opened().metadata.num_rows)

    def column_names(self) -> tuple[str, ...]:
        """The columns that it has."""
        return tuple(self._opened().schema_arrow.names)

    def kinds(self) -> Mapping[str, pl.DataType]:
        """The types of its columns."""
        return pl.DataFrame(pl.from_arrow(self._opened().schema_arrow.empty_table())).schema

    def frames(self, wanted: Sequence[str]) -> Iterator[tuple[pl.DataFrame, Origin]]:
        """The wanted columns, some rows at a time."""
        first = 1
        opened = self._opened()
        try:
            for batch in opened.iter_batches(PARQUET_ROWS, columns=list(wanted)):
                frame = pl.DataFrame(pl.from_arrow(batch)).select(wanted)
                yield frame, Origin(self.path, first)
                first += frame.height
        except UNREADABLE as error:
            raise _unreadable(self.path, error) from error

    def _opened(self) -> pq.ParquetFile:
        try:
            # Buffered, or the bytes of a whole row group, which may be the whole file, would be held at once.
            return pq.ParquetFile(self.path, buffer_size=COLUMN_BYTES, pre_buffer=False)
        except UNREADABLE as error:
            raise _unreadable(self.path, error) from error


def open_text(path: Path, separator: str, *, names: tuple[str, ...] | None = None) -> Text:
    """A text in a published form, in which no quote is special; `names` where it has no header."""
    return Text(path, separator, names, quoted=False)


def open_table(path: Path, names: tuple[str, ...] | None = None) -> Table:
    """A .parquet file, or a .csv, .tsv or .txt (tab) file that may be gzipped; `names` where it has no header.

    Raises:
        DataError: the file is missing or of another kind.
    """
    if not path.is_file():
        raise DataError(f"a table must be a file, but there is no {path}; check the path")
    kind = Path(path.stem).suffix if path.suffix == ".gz" else path.suffix
    if kind in SEPARATORS:
        return Text(path, SEPARATORS[kind], names)
    if path.suffix != ".parquet":
        raise DataError(
            f"a table must end in .parquet, .csv, .tsv or .txt, the texts also in .gz, but {path} ends in "
            f"{path.suffix or 'nothing'!r}"
        )
    if names is not None:
        raise DataError(f"columns names those of a text without a header, but {path} is parquet; leave columns out")
    return Parquet(path)


def read_frames(
    table: Table, names: Sequence[str], *, file: object, optional: Collection[str] = ()
) -> Iterator[tuple[pl.DataFrame, Origin]]:
    """The named columns; those in `optional` may be absent.

    Raises:
        DataError: the file is damaged, or lacks a column.
    """
    found = table.column_names()
    wanted = [name for name in names if name not in optional or name in found]
    require_columns(wanted, found, file=file)
    yield from table.frames(wanted)


def _unreadable(path: Path, error: Exception) -> DataError:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return DataError(
        f"a table must be a readable parquet or csv file, but {path} cannot be read ({reason}); "
        "check that it is complete and of the kind that its name says"
    )
