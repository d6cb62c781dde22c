"""Ids: fitted on training values, by count and then by value."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluators._datasets import counting
from evaluators._datasets.vocabulary import Vocabulary


def fit(column: pl.Series, minimum_count: int, *, limit: int = 3) -> Vocabulary:
    """Counted value by value; where more than `limit` are held, by way of files."""
    with tempfile.TemporaryDirectory() as folder:
        counter = counting.Counter(Path(folder), limit=limit)
        for at in range(len(column)):
            counter.add(column[at : at + 1].cast(pl.String), np.ones(1, np.int64))
        counted = Vocabulary.ranked(counter.total(minimum_count))
        assert list(Path(folder).iterdir()) == []
        return counted


def test_ids_go_by_descending_count_then_by_value() -> None:
    fitted = fit(pl.Series(["b", "a", "c", "c", "b", "a", "c", "z"]), minimum_count=2)
    assert fitted.values == ["c", "a", "b"]
    assert fitted.table["count"].to_list() == [3, 2, 2]
    assert fitted.size == 4


def test_rare_and_unseen_values_share_id_zero() -> None:
    fitted = fit(pl.Series(["a", "a", "rare"]), minimum_count=2)
    np.testing.assert_array_equal(fitted.ids(pl.Series(["a", "rare", "never"])), [1, 0, 0])


def test_a_missing_value_is_a_value_of_its_own() -> None:
    fitted = fit(pl.Series(["a", "a", None, None, None]), minimum_count=2)
    assert fitted.values == [None, "a"]
    np.testing.assert_array_equal(fitted.ids(pl.Series([None, "a", "", "None"])), [1, 2, 0, 0])


def test_a_missing_value_that_is_rare_has_no_id() -> None:
    fitted = fit(pl.Series(["a", "a", None]), minimum_count=2)
    np.testing.assert_array_equal(fitted.ids(pl.Series([None, "a"])), [0, 1])


def test_a_column_of_rare_values_alone_has_only_id_zero() -> None:
    fitted = fit(pl.Series(["a", "b"]), minimum_count=2)
    assert fitted.size == 1
    np.testing.assert_array_equal(fitted.ids(pl.Series(["a", None])), [0, 0])


def test_numbers_are_read_as_their_text() -> None:
    fitted = fit(pl.Series([7, 7, 8]), minimum_count=1)
    np.testing.assert_array_equal(fitted.ids(pl.Series(["8", "7"])), [2, 1])


@settings(deadline=None)  # files are written
@given(st.lists(st.sampled_from(["a", "b", "é", "", None]), min_size=1), st.integers(1, 3))
def test_ids_agree_with_a_count_by_hand(values: list[str | None], minimum_count: int) -> None:
    counts = {value: count for value, count in Counter(values).items() if count >= minimum_count}
    ordered = sorted(counts, key=lambda value: (-counts[value], value is None, (value or "").encode()))
    column = pl.Series(values, dtype=pl.String)
    fitted = fit(column, minimum_count)
    assert fitted.values == ordered
    expected = [ordered.index(value) + 1 if value in ordered else 0 for value in values]
    np.testing.assert_array_equal(fitted.ids(column), expected)


@settings(deadline=None)  # files are written
@given(st.lists(st.integers(0, 30), max_size=200), st.integers(1, 3))
def test_counts_do_not_depend_on_what_fits_in_memory(values: list[int], minimum_count: int) -> None:
    column = pl.Series(values, dtype=pl.Int64)
    one, other = fit(column, minimum_count, limit=4), fit(column, minimum_count, limit=1000)
    assert one.table.equals(other.table)


def test_a_count_of_zero_is_no_value(tmp_path: Path) -> None:
    counter = counting.Counter(tmp_path)
    counter.add(pl.Series(["a", "b"]), np.array([0, 3]))
    assert counter.total(1).rows() == [("b", 3)]
