"""Rows are divided by time, or by a hash of their number."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from evaluators import DataError
from evaluators._datasets.columns import Columns
from evaluators._datasets.split import Shares, split_rows, uniform_of_row

TIMED = Columns("label", ("x",), (), "time")
UNTIMED = Columns("label", ("x",), ())


def frame(times: list[float]) -> pl.DataFrame:
    return pl.DataFrame({"label": [0.0] * len(times), "x": range(len(times)), "time": times})


def test_by_time_the_latest_rows_test() -> None:
    parts = split_rows(frame([float(9 - row) for row in range(10)]), TIMED, shares=Shares(0.2, 0.1), seed=0)
    assert {name: part["time"].to_list() for name, part in parts.items()} == {
        "train": [0, 1, 2, 3, 4, 5, 6],
        "valid": [7, 8],
        "test": [9],
    }


def test_rows_of_one_instant_stay_together_in_the_later_part() -> None:
    parts = split_rows(frame([1, 2, 3, 3, 3, 4, 4, 5, 5, 5]), TIMED, shares=Shares(0.3, 0.3), seed=0)
    assert [part["time"].to_list() for part in parts.values()] == [[1, 2], [3, 3, 3, 4, 4], [5, 5, 5]]


def test_no_share_for_test_makes_no_test_part() -> None:
    for columns in (TIMED, UNTIMED):
        parts = split_rows(frame(list(range(50))), columns, shares=Shares(0.2, 0.0), seed=0)
        assert list(parts) == ["train", "valid"]
        assert sum(part.height for part in parts.values()) == 50


def test_a_split_that_leaves_a_part_empty_is_refused() -> None:
    with pytest.raises(DataError, match=r"the split leaves train empty \(of 10 rows in all\); give it a larger share"):
        split_rows(frame([1.0] * 10), TIMED, shares=Shares(), seed=0)


def test_without_time_shares_are_kept_and_rows_stay_in_order() -> None:
    parts = split_rows(frame([0.0] * 20_000), UNTIMED, shares=Shares(0.1, 0.2), seed=3)
    heights = [part.height / 20_000 for part in parts.values()]
    assert heights == pytest.approx([0.7, 0.1, 0.2], abs=0.01)
    assert all(part["x"].is_sorted() for part in parts.values())


def test_the_seed_decides_the_part_of_a_row() -> None:
    first, again, other = uniform_of_row(1000, 1), uniform_of_row(1000, 1), uniform_of_row(1000, 2)
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


def test_the_part_of_a_row_does_not_depend_on_the_rows_after_it() -> None:
    np.testing.assert_array_equal(uniform_of_row(10, 5), uniform_of_row(1000, 5)[:10])


def test_the_numbers_of_rows_are_uniform() -> None:
    counts, _ = np.histogram(uniform_of_row(100_000, 0), bins=10, range=(0, 1))
    assert np.all(np.abs(counts - 10_000) < 4 * np.sqrt(9_000))
