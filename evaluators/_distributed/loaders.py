"""Processes that put batches together, in memory that they share with the process that trains on them.

Each is split off before this one has threads of torch's, does nothing but gather rows, and is told by a byte in a pipe
that a place is free. Torch's `DataLoader` does the same by way of pickled messages; it is not used because a batch
here is three tensors whose sizes are known, and because its processes outlive a killed parent by seconds.
"""

from __future__ import annotations

import mmap
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor

from evaluators._training.examples import Batch

PLACES = 2
"""Batches that each process makes ready ahead."""

DONE, FAILED = b"+", b"-"
MOST_SAID = 2000

Made = Callable[[int, int], Iterator[Batch]]
"""Every batch of one process, by its number and how many processes there are."""


@dataclass(frozen=True, eq=False)
class _Loader:
    """One process, as this one sees it: where it is told of free places, and where it tells of batches."""

    pid: int
    free: int
    ready: int
    places: Sequence[Batch]


class Loaders:
    """Batches that `processes` of them have put together, in order; each batch is good until the next one is asked for.

    Raises:
        RuntimeError: a process has failed, with what it failed of.
    """

    def __init__(self, made: Made, processes: int, shapes: tuple[Tensor, Tensor, Tensor]) -> None:
        self._loaders: list[_Loader] = []
        for one in range(processes):
            self._loaders.append(self._started(one, processes, made, shapes))

    @property
    def pids(self) -> tuple[int, ...]:
        """Process ids."""
        return tuple(one.pid for one in self._loaders)

    def __iter__(self) -> Iterator[Batch]:
        """Batch after batch, the first of each process first."""
        for number in count():
            turn, who = divmod(number, len(self._loaders))
            loader = self._loaders[who]
            said = os.read(loader.ready, 1)
            if said != DONE:
                raise RuntimeError(f"a loader's process has ended: {_rest(loader.ready) or 'it said nothing'}")
            yield loader.places[turn % PLACES]
            os.write(loader.free, DONE)

    def _started(self, one: int, of: int, made: Made, shapes: tuple[Tensor, Tensor, Tensor]) -> _Loader:
        places = [_shared(shapes) for _ in range(PLACES)]
        told, free = os.pipe()
        ready, tells = os.pipe()
        pid = os.fork()
        if pid == 0:
            for end in (free, ready, *(fd for other in self._loaders for fd in (other.free, other.ready))):
                os.close(end)  # or the end of this process would not be seen
            _load(made(one, of), places, told, tells)
        os.close(told)
        os.close(tells)
        os.write(free, DONE * PLACES)
        return _Loader(pid, free, ready, places)


def _load(found: Iterator[Batch], places: Sequence[Batch], told: int, tells: int) -> None:
    """Fills places as they become free, until nobody wants more; never returns."""
    try:
        torch.set_num_threads(1)  # threads of a pool do not come along when a process is split
        turn = 0
        while os.read(told, 1):
            _fill(places[turn % PLACES], next(found))
            os.write(tells, DONE)
            turn += 1
    except BaseException as error:  # noqa: BLE001  # it is told to who waits
        os.write(tells, FAILED + f"{type(error).__name__}: {error}".encode()[:MOST_SAID])
    finally:
        os._exit(0)  # what was registered to run at the end belongs to the process that trains


def _fill(place: Batch, batch: Batch) -> None:
    place.numeric.copy_(batch.numeric)
    place.categorical.copy_(batch.categorical)
    place.label.copy_(batch.label)


def _shared(shapes: tuple[Tensor, Tensor, Tensor]) -> Batch:
    """A place for a batch, in memory that stays shared when a process is split."""
    return Batch(*(_tensor(one) for one in shapes))


def _tensor(shape: Tensor) -> Tensor:
    if not shape.numel():
        return torch.empty(shape.shape, dtype=shape.dtype)
    memory = mmap.mmap(-1, shape.numel() * shape.element_size())
    return torch.frombuffer(memory, dtype=shape.dtype).view(shape.shape)


def _rest(ready: int) -> str:
    said = b""
    while more := os.read(ready, MOST_SAID):
        said += more
    return said.decode(errors="replace")
