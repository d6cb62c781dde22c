"""Rows are divided by time, by order, by a hash of their number, or by the published folds."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluators import DataError
from evaluators._datasets import ordering, prepare
from evaluators._datasets.split import (
    ByHash,
    ByOrder,
    ByTime,
    Given,
    Rows,
    Shares,
    Split,
    Stratified,
    divide,
    uniform_of_row,
)
from evaluators._datasets.stored import Appended, Stored
from tests.evaluators.datasets.small_sources import write_table


def stored(path: Path, values: NDArray[np.generic]) -> Stored:
    with Appended(path, values.dtype) as file:
        file.append(values)
        return file.stored()


def places(
    folder: Path, split: Split, *, times: list[float] | None = None, labels: list[float] | None = None, count: int = 0
) -> NDArray[np.uint8]:
    count = count or len(times or labels or ())
    rows = Rows(
        count,
        stored(folder / "label", np.array(labels or [0.0] * count, np.float32)),
        None if times is None else stored(folder / "time", np.array(times, np.float64)),
        stored(folder / "given", np.zeros(count, np.uint8)),
        folder,
    )
    found: NDArray[np.uint8] = divide(split, rows).read(0, count)
    return found


def test_by_time_the_latest_rows_test(tmp_path: Path) -> None:
    found = places(tmp_path, ByTime(Shares(0.2, 0.1)), times=[float(9 - row) for row in range(10)])
    assert found.tolist() == [2, 1, 1, 0, 0, 0, 0, 0, 0, 0]


def test_rows_of_one_instant_stay_together_in_the_later_part(tmp_path: Path) -> None:
    found = places(tmp_path, ByTime(Shares(0.3, 0.3)), times=[1, 2, 3, 3, 3, 4, 4, 5, 5, 5])
    assert found.tolist() == [0, 0, 1, 1, 1, 1, 1, 2, 2, 2]


def test_unordered_times_that_do_not_fit_in_memory_have_the_same_cuts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = np.random.default_rng(0).integers(0, 300, 5000).astype(float)
    monkeypatch.setattr(ordering, "LIMIT_BYTES", 2000)
    found = places(tmp_path, ByTime(Shares(0.2, 0.1)), times=times.tolist())
    cuts = np.sort(times)[[3500, 4500]]
    np.testing.assert_array_equal(found, np.sum(times[:, None] >= cuts, axis=1))


def test_by_order_the_last_rows_test(tmp_path: Path) -> None:
    assert places(tmp_path, ByOrder(Shares(0.2, 0.1)), count=10).tolist() == [0] * 7 + [1, 1, 2]


def test_no_share_for_test_makes_no_test_part(tmp_path: Path) -> None:
    for split in (ByTime(Shares(0.2, 0.0)), ByOrder(Shares(0.2, 0.0)), ByHash(Shares(0.2, 0.0), 0)):
        assert split.parts == ("train", "valid")
        assert set(places(tmp_path, split, times=[float(row) for row in range(50)])) == {0, 1}


def test_a_split_that_leaves_a_part_empty_is_refused(tmp_path: Path) -> None:
    text = "table: clicks.csv\nlabel: click\ndense: [price]\ncategorical: [user]\ntime: when\n"
    description = write_table(tmp_path, text)
    rows = [f"{row % 2},1,u,7" for row in range(10)]
    (tmp_path / "clicks.csv").write_text("\n".join(["click,price,user,when", *rows]))
    with pytest.raises(
        DataError, match=r"the split leaves train empty \(of 10 rows in all\); give it .* or another rule of splitting"
    ):
        prepare(description)


def test_by_hash_shares_are_kept(tmp_path: Path) -> None:
    found = places(tmp_path, ByHash(Shares(0.1, 0.2), 3), count=20_000)
    assert (np.bincount(found) / 20_000).tolist() == pytest.approx([0.7, 0.1, 0.2], abs=0.01)


def test_given_parts_are_taken_as_they_are(tmp_path: Path) -> None:
    assert places(tmp_path, Given(("train",)), count=3).tolist() == [0, 0, 0]


def test_the_published_folds_are_those_of_the_library_that_made_them(tmp_path: Path) -> None:
    """Written out from the definition of its release 0.19: a shuffled k-fold of each class, with the same seed."""
    labels = (np.random.default_rng(1).random(997) < 0.3).astype(np.float32)
    expected = np.full(997, 9)
    for label in (0, 1):
        own = np.flatnonzero(labels == label)
        order = np.arange(len(own))
        np.random.RandomState(2018).shuffle(order)
        for fold, rows in enumerate(np.array_split(order, 10)):
            expected[own[rows]] = fold
    found = places(tmp_path, Stratified(), labels=labels.tolist())
    np.testing.assert_array_equal(found, np.select([expected == 0, expected == 1], [2, 1], 0))


def test_published_folds_have_the_same_rate_of_clicks(tmp_path: Path) -> None:
    labels = np.arange(10_000) % 4 == 0
    found = places(tmp_path, Stratified(), labels=labels.astype(float).tolist())
    assert [labels[found == number].mean() for number in range(3)] == pytest.approx([0.25] * 3, abs=1e-3)


def test_the_seed_decides_the_part_of_a_row() -> None:
    first, again, other = (uniform_of_row(0, 1000, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert abs(np.corrcoef(first, other)[0, 1]) < 0.1


def test_the_part_of_a_row_does_not_depend_on_the_rows_around_it() -> None:
    np.testing.assert_array_equal(uniform_of_row(3, 10, 5), uniform_of_row(0, 1000, 5)[3:10])


def test_the_numbers_of_rows_are_uniform() -> None:
    counts, _ = np.histogram(uniform_of_row(0, 100_000, 0), bins=10, range=(0, 1))
    assert np.all(np.abs(counts - 10_000) < 4 * np.sqrt(9_000))
