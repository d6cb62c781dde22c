"""Numbers, labels, texts and times are read strictly."""

from __future__ import annotations

from datetime import date, datetime

import numpy as np
import polars as pl
import pytest

from evaluators import DataError
from evaluators._datasets.columns import Columns, Origin
from evaluators._datasets.numeric import Moments, RowReader, to_label, to_number, to_text, to_time
from searchspaces import Field

F = Origin("f")


def read_time(values: list[object], name: str = "") -> list[object]:
    column = pl.Series(name, values)
    return to_time(column, F, first=column.head(1)).to_list()


def test_a_dense_column_keeps_raw_values_and_marks_missing_ones() -> None:
    column = pl.Series("price", ["1.5", None, " -2 ", "nan", ""])
    assert to_number(column, F).to_list() == [1.5, None, -2.0, None, None]


def test_numbers_and_booleans_are_dense_values() -> None:
    assert to_number(pl.Series([1, 2]), F).to_list() == [1.0, 2.0]
    assert to_number(pl.Series([True, None]), F).to_list() == [1.0, None]
    assert to_number(pl.Series([1.0, float("nan")]), F).to_list() == [1.0, None]
    assert to_number(pl.Series([None, None]), F).to_list() == [None, None]


@pytest.mark.parametrize("value", ["12 EUR", "inf", "1e60"])
def test_what_is_no_finite_number_is_named_with_file_column_and_row(value: str) -> None:
    with pytest.raises(DataError) as raised:
        to_number(pl.Series("price", ["1", value, "x"]), Origin("clicks.csv"))
    assert "a dense column holds finite numbers or nothing" in str(raised.value)
    assert f"column 'price' of clicks.csv has {value!r} in row 2;" in str(raised.value)
    assert "or name the column as categorical" in str(raised.value)


def test_a_date_is_no_dense_value() -> None:
    with pytest.raises(DataError, match=r"column 'day' of f has datetime.date\(2020, 1, 2\) in row 1"):
        to_number(pl.Series("day", [date(2020, 1, 2)]), F)


@pytest.mark.parametrize("values", [[0, 1], [0.0, 1.0], [False, True], ["0", "1"], ["0.0", " 1"]])
def test_labels_come_in_several_dresses(values: list[object]) -> None:
    assert to_label(pl.Series("click", values), F).to_list() == [0.0, 1.0]


@pytest.mark.parametrize("value", [2, 0.5, "yes", None, date(2020, 1, 1)])
def test_a_label_that_is_not_binary_is_named(value: object) -> None:
    with pytest.raises(DataError) as raised:
        to_label(pl.Series("click", [value]), Origin("clicks.csv"))
    assert f"a label is 0 or 1 in each row, but column 'click' of clicks.csv has {value!r} in row 1" in str(
        raised.value
    )
    assert "name the right column, or map its values to 0 and 1" in str(raised.value)


def test_times_are_numbers_as_they_are_and_dates_in_milliseconds() -> None:
    assert read_time([5, 7]) == [5.0, 7.0]
    assert read_time(["5", "7.5"]) == [5.0, 7.5]
    assert read_time([date(1970, 1, 2)]) == [86_400_000.0]
    assert read_time([datetime(1970, 1, 1, 0, 1)]) == [60_000.0]
    assert read_time(["1970-01-01 00:01:00", "1970-01-02 00:00:00"]) == [60e3, 86.4e6]
    assert read_time(["1970-01-02"]) == [86_400_000.0]


@pytest.mark.parametrize("value", ["yesterday", "inf"])
def test_a_time_that_cannot_be_read_is_named(value: str) -> None:
    with pytest.raises(DataError, match=f"column 'when' of f has {value!r} in row 1.*or name no time column"):
        read_time([value], "when")


def test_a_row_without_time_is_named() -> None:
    with pytest.raises(DataError, match=r"a time column holds a number, a date .* has None in row 2"):
        read_time([1.0, None], "when")


def test_a_categorical_nan_is_a_missing_value() -> None:
    assert to_text(pl.Series([1.5, float("nan"), None]), F).to_list() == ["1.5", None, None]


def test_a_list_is_no_categorical_value() -> None:
    with pytest.raises(DataError, match=r"holds one value in each row, but column 'tags' of f holds List"):
        to_text(pl.Series("tags", [["a", "b"]]), F)


def test_statistics_are_those_of_the_signed_logarithm_without_missing_values() -> None:
    squashed = np.array([-np.log(4), 0.0, np.log(11)])
    field = field_of([-3.0, np.nan, 0.0, 10.0])
    assert (field.mean, field.std) == pytest.approx((squashed.mean(), squashed.std()))


def field_of(*blocks: list[float]) -> Field:
    moments = Moments()
    for block in blocks:
        moments.add(np.array(block, np.float32))
    return moments.field("x")


def test_statistics_of_blocks_are_those_of_the_whole() -> None:
    values = np.random.default_rng(0).normal(3, 100, 1000).tolist()
    whole, blocks = field_of(values), field_of(values[:1], [np.nan], [], values[1:10], values[10:])
    assert (blocks.mean, blocks.std) == pytest.approx((whole.mean, whole.std), rel=1e-12)


@pytest.mark.parametrize("values", [[], [np.nan], [0.1, 0.1, 0.1]])
def test_a_column_without_spread_has_deviation_one(values: list[float]) -> None:
    assert field_of(values).std == 1.0
    assert field_of(values, values).std == 1.0


def test_the_first_time_of_a_table_decides_how_later_chunks_are_read() -> None:
    reader = RowReader(Columns("y", (), (), "when"))
    reader.read(pl.DataFrame({"y": [1], "when": ["5"]}), F)
    with pytest.raises(DataError, match=r"column 'when' of f has '1970-01-02' in line 7; mend the value"):
        reader.read(pl.DataFrame({"y": [1], "when": ["1970-01-02"]}), Origin("f", 7, "line"))
