"""Cuts a test part into days, so that a verdict can hold for other days too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MILLISECONDS_OF_A_DAY, SECONDS_OF_A_DAY = 86_400_000.0, 86_400.0
EQUAL_PERIODS = 7
LEAST_SHARE = 0.2
"""A day of less than this share of the mean day's rows (the log began late in it) joins its neighbour."""


@dataclass(frozen=True, eq=False)
class Periods:
    """The period of each row `[rows]`, counted from 0, and how they came about, in words."""

    of_row: NDArray[np.int64]
    words: str

    @property
    def weights(self) -> NDArray[np.float64]:
        """Each period's share of the rows."""
        shares: NDArray[np.float64] = np.bincount(self.of_row) / len(self.of_row)
        return shares


def whole(rows: int) -> Periods:
    """All rows in one period."""
    return Periods(np.zeros(rows, np.int64), "the whole test part")


def periods(rows: int, time: NDArray[np.float64] | None) -> Periods:
    """Days by the rows' times where these are dates, else equal periods in the order of the rows.

    Prepared data keeps dates as milliseconds since 1970 and numbers as they are. Times from 1e11 on are taken for
    milliseconds, from 1e8 on for seconds; smaller ones are no dates. Fewer than two days give equal periods as well.
    """
    length = None if time is None or not len(time) else _day_length(float(np.min(time)))
    if time is not None and length is not None:
        days = _joined(np.floor(np.asarray(time) / length).astype(np.int64))
        count = int(days.max()) + 1
        if count >= 2:
            return Periods(days, f"{count} days by the data's time")
    reason = "its rows have no times" if time is None else "its times are no dates, or all of one day"
    count = min(EQUAL_PERIODS, rows)
    return Periods(np.arange(rows) * count // rows, f"{count} equal periods of the test part in its order: {reason}")


def means_by_period(values: NDArray[np.float64], found: Periods) -> NDArray[np.float64]:
    """The mean of row values `[rows]` in each period."""
    means: NDArray[np.float64] = np.bincount(found.of_row, weights=values) / np.bincount(found.of_row)
    return means


def _day_length(earliest: float) -> float | None:
    if earliest >= 1e11:
        return MILLISECONDS_OF_A_DAY
    return SECONDS_OF_A_DAY if earliest >= 1e8 else None


def _joined(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Days counted from 0 without gaps, small ones joined with the day before, the first one with the day after."""
    _, numbers, counts = np.unique(days, return_inverse=True, return_counts=True)
    is_large: Callable[[int], bool] = lambda day: counts[day] >= LEAST_SHARE * counts.mean()  # noqa: E731
    starts = np.array([day > 0 and is_large(day) for day in range(len(counts))])
    if len(counts) > 1 and not is_large(0):
        starts[np.argmax(starts)] = False
    return np.cumsum(starts)[numbers.reshape(-1)]
