from __future__ import annotations

import numpy as np
import pytest

from automl.finals._periods import means_by_period, periods, whole

DAY = 86_400_000.0
START = 20_000 * DAY


def test_dates_cut_a_part_into_days() -> None:
    found = periods(6, START + DAY * np.array([0.1, 0.9, 1.0, 1.5, 2.2, 2.3]))
    assert found.of_row.tolist() == [0, 0, 1, 1, 2, 2]
    assert found.words == "3 days by the data's time"


def test_seconds_are_dates_too() -> None:
    found = periods(4, (START + DAY * np.array([0.1, 0.2, 1.1, 1.2])) / 1000.0)
    assert found.of_row.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize(("days", "expected"), [([0] + [1] * 9 + [2] * 9, 10), ([0] * 9 + [1] * 9 + [2], 9)])
def test_a_day_of_few_rows_joins_its_neighbour(days: list[int], expected: int) -> None:
    found = periods(19, START + DAY * np.array(days, float))
    assert np.bincount(found.of_row)[0] == expected
    assert found.of_row.max() == 1


@pytest.mark.parametrize("time", [None, np.arange(70.0), np.full(70, START)])
def test_without_days_the_order_of_the_rows_is_cut_into_equal_periods(time: np.ndarray | None) -> None:
    found = periods(70, time)
    assert np.bincount(found.of_row).tolist() == [10] * 7
    assert found.words.startswith("7 equal periods of the test part in its order:")


def test_weighted_period_means_are_the_mean() -> None:
    values = np.random.default_rng(0).normal(size=20)
    found = periods(20, START + DAY * np.repeat([0.0, 1.0, 2.0], [5, 7, 8]))
    assert means_by_period(values, found) @ found.weights == pytest.approx(values.mean())
    assert means_by_period(values, whole(20)) == pytest.approx([values.mean()])
