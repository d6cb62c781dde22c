"""Reads numbers, labels and times strictly: what cannot be read is an error, never a silent gap."""

from __future__ import annotations

import reprlib

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._datasets.columns import Columns, Origin
from evaluators._errors import DataError
from searchspaces import Field, Kind


class RowReader:
    """Types the rows of one table, chunk after chunk, as if it were one.

    The first time of the table decides how times are written; a later chunk has no say of its own.
    """

    def __init__(self, columns: Columns, *, needs_label: bool = True) -> None:
        self._columns = columns
        self._needs_label = needs_label
        self._first_time: pl.Series | None = None

    def read(self, frame: pl.DataFrame, origin: Origin) -> pl.DataFrame:
        """The named columns alone: label and dense as float32, categorical as text, time as float64.

        Without `needs_label` a table that lacks the label is read without it.

        Raises:
            DataError: a value has no such reading; names file, column, first bad row (from 1) and value.
        """
        columns = self._columns
        has_label = self._needs_label or columns.label in frame.columns
        read = [to_label(frame[columns.label], origin)] if has_label else []
        read += [to_number(frame[name], origin) for name in columns.dense]
        read += [to_text(frame[name], origin) for name in columns.categorical]
        if columns.time is not None:
            time = frame[columns.time]
            if self._first_time is None:
                self._first_time = time.head(1)
            read.append(to_time(time, origin, first=self._first_time))
        return pl.DataFrame(read)


def to_text(column: pl.Series, origin: Origin) -> pl.Series:
    """A categorical column as text; null and NaN are both missing."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise DataError(
            f"a categorical column holds one value in each row, but column {column.name!r} of {origin.file} holds "
            f"{column.dtype}; make a column of it for each value"
        )
    known = column.fill_nan(None) if column.dtype.is_float() else column
    return known.cast(pl.String)


def to_number(column: pl.Series, origin: Origin) -> pl.Series:
    """A dense column as float32; null and NaN are both missing."""
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.String, pl.Null):
        text = column.str.strip_chars() if column.dtype == pl.String else column
        number = text.cast(pl.Float32, strict=False).fill_nan(None)
        wrong = number.is_infinite().fill_null(False)
        if number.null_count() > column.null_count():
            wrong = wrong | (number.is_null() & ~_is_missing(column, text))
    else:
        number, wrong = column, column.is_not_null()
    if wrong.any():
        raise _bad_value(
            column,
            wrong,
            origin=origin,
            rule="a dense column holds finite numbers or nothing",
            way_out="mend the value, leave it empty, or name the column as categorical",
        )
    return number.cast(pl.Float32)


def _is_missing(column: pl.Series, text: pl.Series) -> pl.Series:
    if column.dtype.is_float():
        return column.is_null() | column.is_nan()
    if column.dtype == pl.String:
        return column.is_null() | text.str.to_lowercase().is_in(["", "nan"]).fill_null(True)
    return column.is_null()


def to_label(column: pl.Series, origin: Origin) -> pl.Series:
    """A label column as float32, 0 or 1; booleans and the texts 0 and 1 will do."""
    text = column.str.strip_chars() if column.dtype == pl.String else column
    readable = column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.String)
    number = (
        text.cast(pl.Float32, strict=False) if readable else pl.Series(column.name, [None] * len(column), pl.Float32)
    )
    wrong = ~number.is_in([0.0, 1.0]).fill_null(False)
    if wrong.any():
        raise _bad_value(
            column,
            wrong,
            origin=origin,
            rule="a label is 0 or 1 in each row",
            way_out="name the right column, or map its values to 0 and 1",
        )
    return number


def to_time(column: pl.Series, origin: Origin, *, first: pl.Series) -> pl.Series:
    """A time column as float64: numbers as they are, dates and times in milliseconds since 1970 (UTC).

    `first` holds the first time of the table, which decides how its texts are read.
    """
    if column.dtype in (pl.Date, pl.Datetime):
        number = _milliseconds(column)
    elif not (column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.String)):
        number = pl.Series(column.name, [None] * len(column), pl.Float64)
    else:
        read = _time_from_text_or_number(pl.concat([first, column]))
        # What does not read the first time as well is another way of writing times.
        number = read[len(first) :] if not read.head(len(first)).null_count() else column.cast(pl.Float64, strict=False)
    wrong = number.is_null() | ~number.is_finite().fill_null(False)
    if wrong.any():
        raise _bad_value(
            column,
            wrong,
            origin=origin,
            rule="a time column holds a number, a date or a date with time in each row",
            way_out="mend the value, or name no time column",
        )
    return number


def _time_from_text_or_number(column: pl.Series) -> pl.Series:
    number = column.cast(pl.Float64, strict=False)
    if column.dtype != pl.String or number.null_count() == column.null_count():
        return number
    for kind in (pl.Datetime("us"), pl.Date()):
        try:
            return _milliseconds(column.str.strptime(kind, strict=False))
        except pl.exceptions.PolarsError:  # no format fits the text as this kind: the next may
            continue
    return number


def _milliseconds(column: pl.Series) -> pl.Series:
    return column.cast(pl.Datetime("ms")).cast(pl.Int64).cast(pl.Float64)


def _bad_value(column: pl.Series, wrong: pl.Series, *, origin: Origin, rule: str, way_out: str) -> DataError:
    row = wrong.arg_max() or 0
    return DataError(
        f"{rule}, but column {column.name!r} of {origin.file} has {_shown(column[row])} in {origin.place(row)}; "
        f"{way_out}"
    )


def _shown(value: object) -> str:
    return reprlib.repr(value.to_list() if isinstance(value, pl.Series) else value)


class Moments:
    """Mean and deviation of sign(x) * log(1 + |x|) of a dense column, missing left out, block after block.

    Blocks are merged by their moments (Chan, Golub, LeVeque: Updating Formulae and a Pairwise Algorithm for
    Computing Sample Variances, 1979), so that a column need not be in memory at once.
    """

    def __init__(self) -> None:
        self._rows, self._mean, self._deviation = 0, 0.0, 0.0

    def add(self, block: NDArray[np.float32]) -> None:
        """Takes more of the column in."""
        known = block[~np.isnan(block)].astype(np.float64)
        if not len(known):
            return
        squashed = np.sign(known) * np.log1p(np.abs(known))
        rows, mean, deviation = len(known), float(squashed.mean()), float(squashed.std())
        if self._rows:
            total, apart = self._rows + rows, mean - self._mean
            squares = self._rows * self._deviation**2 + rows * deviation**2 + apart**2 * self._rows * rows / total
            rows, mean, deviation = total, self._mean + apart * rows / total, float(np.sqrt(squares / total))
        self._rows, self._mean, self._deviation = rows, mean, deviation

    def field(self, name: str) -> Field:
        """The schema's field for the column."""
        # A constant column has no spread to divide by; rounding may leave a trace of one.
        deviation = self._deviation if self._deviation > 1e-9 else 1.0
        return Field(name, Kind.NUMERIC, mean=self._mean, std=deviation)
