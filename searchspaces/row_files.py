"""Rows of a file, whatever it is: CSV, lines of JSON, either of them compressed, or Parquet."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from searchspaces._errors import SpaceError

Row = Mapping[str, Any]

MALFORMED_JSON = (ValueError, RecursionError)  # a number of thousands of digits is the one, deep brackets the other


def read_rows(file: Path) -> list[Row]:
    """The rows in the order of the file; cells of a CSV file are text, lines of JSON that are no objects are left out.

    Raises:
        SpaceError: the name ends in nothing known, or the file cannot be read.
    """
    reader = _READERS.get(file.with_suffix("").suffix.lower() if file.suffix == ".gz" else file.suffix.lower())
    if reader is None:
        raise SpaceError(f"'file' must end in one of {', '.join(_READERS)}, but is {str(file)!r}")
    try:
        return list(reader(file))
    except SpaceError:
        raise
    except (OSError, EOFError, zlib.error, csv.Error, *MALFORMED_JSON) as error:
        raise SpaceError(f"a table must be a file that can be read, but {file} cannot: {error}") from error


def _text(file: Path) -> IO[str]:
    if file.suffix == ".gz":
        return gzip.open(file, "rt", encoding="utf-8", newline="")
    return file.open(encoding="utf-8", newline="")


def _csv_rows(file: Path) -> Iterator[Row]:
    with _text(file) as lines:
        yield from csv.DictReader(lines)


def _json_rows(file: Path) -> Iterator[Row]:
    with _text(file) as lines:
        for line in lines:
            row = json.loads(line) if line.strip() else {}
            if isinstance(row, dict):
                yield row


def _parquet_rows(file: Path) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        yield from parquet.read_table(file).to_pylist()
    except pa.ArrowException as error:
        raise SpaceError(f"a table must be a file that can be read, but {file} cannot: {error}") from error


_READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".parquet": _parquet_rows,
}
