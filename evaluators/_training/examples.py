"""Rows as tensors: gathers batches out of memory-mapped arrays, a window of them, or the accelerator's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from evaluators._datasets import Part, read_rows

WINDOW_ROWS = 1 << 20
"""Rows that are read at once of a part with more than so many, and the span within which their order is random."""

RESIDENT_SHARE = 0.5
"""Share of the accelerator's free memory that a part may take; a larger one stays on the host."""


@dataclass(frozen=True, eq=False)
class Batch:
    """What a model takes, and the labels it should find."""

    numeric: Float[Tensor, "batch numeric"]
    categorical: Int[Tensor, "batch categorical"]
    label: Float[Tensor, " batch"]


class Examples:
    """One part of a dataset, ready to be read in any order; made once and used for many trainings.

    On a CPU the arrays stay memory-mapped: the page cache is the preloading, and a gather of 512 rows
    takes a hundredth of a step. A part of more than `WINDOW_ROWS` rows may be larger than the memory that caches
    it, where gathering rows at random would read a page for each: it is read a window at a time, in sequence.
    """

    def __init__(self, part: Part, device: torch.device) -> None:
        self.device = device
        self._stored = part
        self._part = Part(np.asarray(part.label), np.asarray(part.numeric), np.asarray(part.categorical))
        self._resident = self._on_device() if self._fits() else None

    def __len__(self) -> int:
        """How many rows."""
        return len(self._part)

    @property
    def labels(self) -> NDArray[np.float64]:
        """All labels in row order, [rows]."""
        return self._part.label.astype(np.float64)

    def batches(self, order: NDArray[np.int64], size: int) -> Iterator[Batch]:
        """Batches of `size` rows in the given order of row numbers; the last may be smaller."""
        yield from self.stream((order,), size)

    def stream(self, orders: Iterable[NDArray[np.int64]], size: int) -> Iterator[Batch]:
        """Batches of `size` rows in the given orders one after the other; the last may be smaller.

        Of a part of more than `WINDOW_ROWS` rows, an order that spans no more than that is read as one window.
        """
        pieces: list[Batch] = []
        missing = size
        for order in orders:
            gather, at = self._gather(order), 0
            while at < len(order):
                pieces.append(gather(order[at : at + missing]))
                at, missing = at + len(pieces[-1].label), missing - len(pieces[-1].label)
                if not missing:
                    yield _joined(pieces)
                    pieces, missing = [], size
            del gather  # or this window would still be held while the next one is read
        if pieces:
            yield _joined(pieces)

    def _gather(self, order: NDArray[np.int64]) -> Callable[[NDArray[np.int64]], Batch]:
        """A way to the rows of one order."""
        if self._resident is not None:
            return self._from_device
        if len(self) > WINDOW_ROWS and len(order):
            first, last = int(order.min()), int(order.max()) + 1
            if last - first <= WINDOW_ROWS:
                window = read_rows(self._stored, first, last)
                return lambda rows: self._gathered(window, rows - first)
        return lambda rows: self._gathered(self._part, rows)

    def _from_device(self, rows: NDArray[np.int64]) -> Batch:
        assert self._resident is not None
        kept, place = self._resident, torch.from_numpy(rows).to(self.device)
        return Batch(kept.numeric[place], kept.categorical[place], kept.label[place])

    def _gathered(self, part: Part, rows: NDArray[np.int64]) -> Batch:
        return Batch(
            torch.from_numpy(part.numeric.take(rows, axis=0)).to(self.device),
            torch.from_numpy(part.categorical.take(rows, axis=0).astype(np.int64)).to(self.device),
            torch.from_numpy(part.label.take(rows)).to(self.device),
        )

    def _fits(self) -> bool:
        if self.device.type != "cuda":
            return False
        free, _ = torch.cuda.mem_get_info(self.device)
        part = self._part
        return part.label.nbytes + part.numeric.nbytes + 2 * part.categorical.nbytes < RESIDENT_SHARE * free

    def _on_device(self) -> Batch:
        """The whole part, moved a window at a time."""
        starts = range(0, len(self), WINDOW_ROWS)
        orders = (np.arange(start, min(start + WINDOW_ROWS, len(self)), dtype=np.int64) for start in starts)
        return _joined([self._gathered(self._part, order) for order in orders])


def _joined(pieces: list[Batch]) -> Batch:
    if len(pieces) == 1:
        return pieces[0]
    return Batch(
        torch.cat([one.numeric for one in pieces]),
        torch.cat([one.categorical for one in pieces]),
        torch.cat([one.label for one in pieces]),
    )
