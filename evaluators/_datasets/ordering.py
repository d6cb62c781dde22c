"""Puts rows on disk into the order of their times, in bounded memory.

Rows that do not fit are dealt into files by times between quantiles of a sample, each of which is ordered in
turn. A time that takes a quantile to itself gets a file to itself, which needs no ordering: many rows of one
instant are no trouble.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators._datasets.stored import Appended, Stored

LIMIT_BYTES = 1 << 26
"""Rows that are ordered in memory at once; with their order and their copy the peak is about three times this."""

SAMPLE = 1 << 14
MOST_CUTS = 128
KEY = "time"


def is_ordered(times: Stored) -> bool:
    """Whether no time is before the one above it."""
    last = -np.inf
    for block in times.blocks():
        if block[0] < last or np.any(np.diff(block) < 0):
            return False
        last = block[-1]
    return True


def in_time_order(rows: Stored, folder: Path) -> Iterator[NDArray[Any]]:
    """Blocks of structured rows by their field `time`; rows of one time keep their order. `folder` is for files."""
    if rows.bytes <= LIMIT_BYTES:
        block = rows.read(0, rows.rows)
        yield block[np.argsort(block[KEY], kind="stable")]
        return
    for pile in _dealt(rows, folder):
        if _is_one_time(pile):
            yield from pile.blocks()
        else:
            yield from in_time_order(pile, folder)
        pile.path.unlink()


def _dealt(rows: Stored, folder: Path) -> list[Stored]:
    """The rows in files of ascending times, each in the order of `rows`."""
    cuts = _cuts(rows)
    piles = [Appended(folder / f"{rows.path.name}-{number:03}", rows.kind) for number in range(len(cuts) + 1)]
    try:
        for block in rows.blocks():
            place = np.searchsorted(cuts, block[KEY], side="right")
            order = np.argsort(place, kind="stable")
            edges = np.searchsorted(place[order], np.arange(len(piles) + 1))
            for number, pile in enumerate(piles):
                pile.append(block[order[edges[number] : edges[number + 1]]])
        return [pile.stored() for pile in piles]
    finally:
        for pile in piles:
            pile.close()


def _cuts(rows: Stored) -> NDArray[np.float64]:
    """Times that divide the rows: quantiles of evenly spaced rows, each with the next number after it."""
    step = max(1, rows.rows // SAMPLE)
    sample = np.sort(np.concatenate([block[KEY][::step] for block in rows.blocks()]))
    count = min(MOST_CUTS // 2, 1 + 2 * rows.bytes // LIMIT_BYTES)
    quantiles = sample[np.linspace(0, len(sample) - 1, count + 2).astype(np.int64)[1:-1]]
    return np.unique(np.concatenate([quantiles, np.nextafter(quantiles, np.inf)]))


def _is_one_time(rows: Stored) -> bool:
    if not rows.rows:
        return True
    first = rows.read(0, 1)[KEY][0]
    return all(bool(np.all(block[KEY] == first)) for block in rows.blocks())
