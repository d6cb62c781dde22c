"""Batches of one rank: which rows they have, where these come from, and who puts them together ahead of the steps."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluators._distributed.loaders import Loaders
from evaluators._errors import EvaluatorError
from evaluators._training.examples import Batch, Examples
from evaluators._training.settings import TrainingSettings
from evaluators._training.stream import Plan, row_orders

PASSES = 1 << 32
"""More than any run takes: a training ends when its driver has seen enough."""


class Rows(Protocol):
    """Rows of the training part, to be read in any order."""

    def __len__(self) -> int:
        """How many."""
        ...

    def stream(self, orders: Iterable[NDArray[np.int64]], size: int) -> Iterator[Batch]:
        """Batches of `size` rows in the given orders one after the other; the last may be smaller."""
        ...


@dataclass(frozen=True)
class Loading:
    """How batches come about; whichever way, they are the same ones.

    `is_resident` holds all rows as tensors of this process, with wide ids; else they are gathered from memory-mapped
    files, whose pages all processes share. `prefetch` batches are made ready ahead by a thread, or every batch by one
    of `processes`, two each ahead.
    """

    is_resident: bool = False
    prefetch: int = 0
    processes: int = 0


@dataclass(frozen=True)
class Share:
    """This rank's part of each whole batch of `batch_size` rows, which are dealt out in order."""

    batch_size: int
    seed: int
    rank: int = 0
    size: int = 1

    @property
    def rows(self) -> int:
        """Rows of the part."""
        return self.batch_size // self.size

    def orders(self, total: int, *, one: int = 0, of: int = 1) -> Iterator[NDArray[np.int64]]:
        """Row numbers of the parts, pass after pass; those of each `of`-th batch alone, beginning with number `one`."""
        plan = Plan.of(TrainingSettings(batch_size=self.batch_size), total, seed=self.seed)
        whole = total // self.batch_size
        for number in range(PASSES):
            first = 0
            for order in row_orders(plan, number=number):
                batch, place = np.divmod(np.arange(first, first + len(order)), self.batch_size)
                is_mine = (place // self.rows == self.rank) & (batch < whole) & ((number * whole + batch) % of == one)
                yield order[is_mine]
                first += len(order)


def batches(examples: Examples, share: Share, loading: Loading) -> Iterator[Batch]:
    """This rank's part of each whole batch, pass after pass. Processes are started at once.

    Raises:
        EvaluatorError: there are not enough rows for one batch, or processes are to load for an accelerator.
    """
    if loading.processes and examples.device.type != "cpu":
        raise EvaluatorError(
            f"a process that was split off cannot use an accelerator, so 'loader_workers' must be 0 on device "
            f"{str(examples.device)!r}, but is {loading.processes}; use 'prefetch'"
        )
    if share.batch_size > len(examples):
        raise EvaluatorError(
            f"a batch has at most as many rows as the training part, {len(examples)}, but 'batch_size' is "
            f"{share.batch_size}"
        )
    rows: Rows = Resident(examples) if loading.is_resident else examples

    def made(one: int, of: int) -> Iterator[Batch]:
        return rows.stream(share.orders(len(rows), one=one, of=of), share.rows)

    if loading.processes:
        return iter(Loaders(made, loading.processes, shapes_of(examples, share.rows)))
    found = made(0, 1)
    return ahead(found, loading.prefetch) if loading.prefetch else found


def ahead(found: Iterator[Batch], count: int) -> Iterator[Batch]:
    """The same, up to `count` of them made ready by a thread beside; what stops the thread is raised here."""
    ready: queue.Queue[Batch | BaseException] = queue.Queue(count)

    def fill() -> None:
        try:
            for batch in found:
                ready.put(batch)
        except BaseException as error:  # noqa: BLE001  # whatever it is, who waits for a batch must hear of it
            ready.put(error)
        else:
            ready.put(StopIteration())

    threading.Thread(target=fill, daemon=True).start()
    while not isinstance(one := ready.get(), BaseException):
        yield one
    if not isinstance(one, StopIteration):
        raise one


class Resident:
    """All rows as tensors, on whatever device they are trained on."""

    def __init__(self, examples: Examples) -> None:
        everything = np.arange(len(examples), dtype=np.int64)
        (self._all,) = examples.batches(everything, len(everything))

    def __len__(self) -> int:
        """How many rows."""
        return len(self._all.label)

    def stream(self, orders: Iterable[NDArray[np.int64]], size: int) -> Iterator[Batch]:
        """Batches of `size` rows in the given orders one after the other; the last may be smaller."""
        rest = np.empty(0, np.int64)
        for order in orders:
            rest = np.concatenate([rest, order])
            whole = len(rest) // size * size
            for chosen in rest[:whole].reshape(-1, size):
                yield self._gathered(chosen)
            rest = rest[whole:]
        if len(rest):
            yield self._gathered(rest)

    def _gathered(self, chosen: NDArray[np.int64]) -> Batch:
        place = torch.from_numpy(chosen).to(self._all.label.device)
        return Batch(*(one.index_select(0, place) for one in _columns(self._all)))


def shapes_of(examples: Examples, rows: int) -> tuple[Tensor, Tensor, Tensor]:
    """Tensors without memory, of the shapes and types of a batch of so many rows."""
    (one,) = examples.batches(np.zeros(1, np.int64), 1)
    numeric, categorical, label = (
        torch.empty((rows, *part.shape[1:]), dtype=part.dtype, device="meta") for part in _columns(one)
    )
    return numeric, categorical, label


def _columns(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    return batch.numeric, batch.categorical, batch.label
