"""Reads numbers, labels and times strictly: what cannot be read is an error, never a silent gap."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._datasets.columns import Columns
from evaluators._errors import DataError
from searchspaces import Field, Kind


def typed(frame: pl.DataFrame, columns: Columns, *, file: object, needs_label: bool = True) -> pl.DataFrame:
    """The named columns alone: label and dense as float32, categorical as text, time as float64.

    Without `needs_label` a table that lacks the label is read without it.

    Raises:
        DataError: a value has no such reading; names file, column, first bad row (from 1) and value.
    """
    has_label = needs_label or columns.label in frame.columns
    read = [to_label(frame[columns.label], file)] if has_label else []
    read += [to_number(frame[name], file) for name in columns.dense]
    read += [to_text(frame[name], file) for name in columns.categorical]
    if columns.time is not None:
        read.append(to_time(frame[columns.time], file))
    return pl.DataFrame(read)


def to_text(column: pl.Series, file: object) -> pl.Series:
    """A categorical column as text; null and NaN are both missing."""
    if column.dtype.is_nested() or column.dtype in (pl.Binary, pl.Object):
        raise DataError(
            f"a categorical column holds one value in each row, but column {column.name!r} of {file} holds "
            f"{column.dtype}; make a column of it for each value"
        )
    known = column.fill_nan(None) if column.dtype.is_float() else column
    return known.cast(pl.String)


def to_number(column: pl.Series, file: object) -> pl.Series:
    """A dense column as float32; null and NaN are both missing."""
    if column.dtype.is_numeric() or column.dtype in (pl.Boolean, pl.String, pl.Null):
        text = column.str.strip_chars() if column.dtype == pl.String else column
        number = text.cast(pl.Float32, strict=False).fill_nan(None)
        missing = column.is_null() if not column.dtype.is_float() else column.is_null() | column.is_nan()
        if column.dtype == pl.String:
            missing = missing | text.str.to_lowercase().is_in(["", "nan"]).fill_null(True)
        wrong = (number.is_null() & ~missing) | number.is_infinite().fill_null(False)
    else:
        number, wrong = column, column.is_not_null()
    if wrong.any():
        raise _bad_value(
            column,
            wrong,
            file=file,
            rule="a dense column holds finite numbers or nothing",
            way_out="mend the value, leave it empty, or name the column as categorical",
        )
    return number.cast(pl.Float32)


def to_label(column: pl.Series, file: object) -> pl.Series:
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
            file=file,
            rule="a label is 0 or 1 in each row",
            way_out="name the right column, or map its values to 0 and 1",
        )
    return number


def to_time(column: pl.Series, file: object) -> pl.Series:
    """A time column as float64: numbers as they are, dates and times in milliseconds since 1970 (UTC)."""
    number = _milliseconds(column) if column.dtype.is_temporal() else _time_from_text_or_number(column)
    wrong = number.is_null() | ~number.is_finite().fill_null(False)
    if wrong.any():
        raise _bad_value(
            column,
            wrong,
            file=file,
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


def _bad_value(column: pl.Series, wrong: pl.Series, *, file: object, rule: str, way_out: str) -> DataError:
    row = wrong.arg_max() or 0
    return DataError(
        f"{rule}, but column {column.name!r} of {file} has {column[row]!r} in row {row + 1} "
        f"({wrong.sum()} such rows); {way_out}"
    )


def numeric_field(name: str, values: NDArray[np.float32]) -> Field:
    """The schema's field for a dense column: mean and deviation of sign(x) * log(1 + |x|), missing left out."""
    known = values[~np.isnan(values)].astype(np.float64)
    if not len(known):
        return Field(name, Kind.NUMERIC)
    squashed = np.sign(known) * np.log1p(np.abs(known))
    deviation = float(squashed.std())
    # A constant column has no spread to divide by; rounding may leave a trace of one.
    return Field(name, Kind.NUMERIC, mean=float(squashed.mean()), std=deviation if deviation > 1e-9 else 1.0)
