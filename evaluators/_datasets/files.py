"""Reads csv and parquet files, with errors that name the file."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

import polars as pl

from evaluators._datasets.columns import require_columns
from evaluators._errors import DataError

SEPARATORS = {".csv": ",", ".tsv": "\t"}


def read_table(path: Path, names: Sequence[str] | None = None, *, optional: Collection[str] = ()) -> pl.DataFrame:
    """The named columns of a .parquet, .csv or .tsv file (all when None); csv columns come as text.

    Text, because a guess of types from the first rows would make 007 a number in one part and not in another.
    Of the named columns those in `optional` may be absent.

    Raises:
        DataError: the file is missing, of another kind or damaged, or lacks a column.
    """
    try:
        frame = _scan(path)
        found = frame.collect_schema().names()
        wanted = found if names is None else [name for name in names if name not in optional or name in found]
        require_columns(wanted, found, file=path)
        return frame.select(wanted).collect(engine="streaming")
    except (OSError, pl.exceptions.PolarsError) as error:
        raise DataError(
            f"a table must be a readable parquet or csv file, but {path} cannot be read ({_first_line(error)}); "
            "check that it is complete and of the kind that its name says"
        ) from error


def _scan(path: Path) -> pl.LazyFrame:
    if not path.is_file():
        raise DataError(f"a table must be a file, but there is no {path}; check the path")
    if path.suffix == ".parquet":
        return pl.scan_parquet(path)
    if path.suffix in SEPARATORS:
        return pl.scan_csv(path, separator=SEPARATORS[path.suffix], infer_schema=False)
    raise DataError(f"a table must end in .parquet, .csv or .tsv, but {path} ends in {path.suffix or 'nothing'!r}")


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
