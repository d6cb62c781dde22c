"""Weights that candidates share: one tensor for each key, of which each candidate takes the part that it means."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluators._training.supernet.axes import Labels

RESERVE = 1.25
"""Room that an axis gets beside what it needs when it grows: most growth comes in small pieces."""

MOST_RUNS = 64
"""Pieces that are moved one by one."""

Positions = NDArray[np.int64]


@dataclass(eq=False)
class Shared:
    """Values and what AdaGrad adds up of their gradients. It grows as labels come; what was never drawn is NaN."""

    labels: tuple[Labels, ...]
    values: Tensor
    squares: Tensor
    _sorted: list[tuple[Labels, Positions]] = field(default_factory=list)

    @classmethod
    def empty(cls, axes: int, like: Tensor) -> Shared:
        """With nothing along any axis."""
        none = np.zeros(0, np.uint64)
        return cls((none,) * axes, like.new_zeros((0,) * axes), like.new_zeros((0,) * axes))

    def take(self, labels: Sequence[Labels]) -> Tensor:
        """A copy of the values at these labels; NaN where there are none."""
        return _taken(self.values, [self._positions(at, one) for at, one in enumerate(labels)])

    def put(self, labels: Sequence[Labels], values: Tensor) -> None:
        """Writes values, also where there were none."""
        self._grow(labels)
        _write(self.values, [self._positions(at, one) for at, one in enumerate(labels)], values)

    def learn(self, labels: Sequence[Labels], gradient: Tensor, *, rate: float, epsilon: float) -> None:
        """A step of AdaGrad (Duchi, Hazan and Singer 2011, Adaptive subgradient methods) on a part that is there."""
        positions = [self._positions(at, one) for at, one in enumerate(labels)]
        squares = _taken(self.squares, positions).addcmul_(gradient, gradient)
        _write(self.squares, positions, squares)
        values = _taken(self.values, positions)
        _write(self.values, positions, values.addcdiv_(gradient, squares.sqrt_().add_(epsilon), value=-rate))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many labels each axis has."""
        return tuple(len(one) for one in self.labels)

    def used(self) -> tuple[Tensor, Tensor]:
        """Values and squares without what is in reserve."""
        part = tuple(slice(0, size) for size in self.shape)
        return self.values[part], self.squares[part]

    def _positions(self, axis: int, labels: Labels) -> Positions:
        """Where the labels stand along an axis, -1 for those that do not."""
        own = self.labels[axis]
        if len(labels) <= len(own) and np.array_equal(own[: len(labels)], labels):
            return np.arange(len(labels))
        if not len(own):
            return np.full(len(labels), -1)
        ranked, order = self._ranked(axis)
        at = np.minimum(np.searchsorted(ranked, labels), len(ranked) - 1)
        found: Positions = np.where(ranked[at] == labels, order[at], -1)
        return found

    def _ranked(self, axis: int) -> tuple[Labels, Positions]:
        if not self._sorted:
            orders = [np.argsort(one) for one in self.labels]
            self._sorted = [(one[order], order) for one, order in zip(self.labels, orders, strict=True)]
        return self._sorted[axis]

    def _grow(self, labels: Sequence[Labels]) -> None:
        fresh = [one[self._positions(at, one) < 0] for at, one in enumerate(labels)]
        if not any(len(one) for one in fresh):
            return
        self.labels = tuple(np.concatenate([own, new]) for own, new in zip(self.labels, fresh, strict=True))
        self._sorted = []
        if all(have >= need for have, need in zip(self.values.shape, self.shape, strict=True)):
            return
        pairs = zip(self.values.shape, self.shape, strict=True)
        room = [have if have >= need else need if have == 0 else int(need * RESERVE) for have, need in pairs]
        self.values = _enlarged(self.values, room, torch.nan)
        self.squares = _enlarged(self.squares, room, 0.0)


def _enlarged(tensor: Tensor, shape: Sequence[int], fill: float) -> Tensor:
    larger = tensor.new_full(tuple(shape), fill)
    larger[tuple(slice(0, size) for size in tensor.shape)] = tensor
    return larger


def _taken(tensor: Tensor, positions: Sequence[Positions]) -> Tensor:
    """The part at some positions along each axis, in memory of its own; NaN at -1."""
    shape = [len(own) for own in positions]
    is_whole = all((own >= 0).all() for own in positions)
    part = tensor.new_empty(shape) if is_whole else tensor.new_full(shape, torch.nan)
    for here, there in _pieces(positions):
        part[here] = tensor[there]
    return part


def _write(tensor: Tensor, positions: Sequence[Positions], part: Tensor) -> None:
    for here, there in _pieces(positions):
        tensor[there] = part[here]


Index = tuple[slice, ...] | tuple[Tensor, ...]


def _pieces(positions: Sequence[Positions]) -> Iterator[tuple[Index, Index]]:
    """Where each piece lies in the part and in the whole; positions of -1 are left out.

    What lies together is moved together: a gather of single columns takes several times as long.
    """
    runs = [_runs(own) for own in positions]
    if math.prod(len(one) for one in runs) <= MOST_RUNS:
        for chosen in itertools.product(*runs):
            here = tuple(slice(at, at + length) for at, _, length in chosen)
            yield here, tuple(slice(start, start + length) for _, start, length in chosen)
        return
    known = [np.flatnonzero(own >= 0) for own in positions]
    yield _crossed(known), _crossed([own[one] for own, one in zip(positions, known, strict=True)])


def _runs(positions: Positions) -> list[tuple[int, int, int]]:
    """Place in the part, place in the whole, and length of each run of positions that follow each other."""
    known = np.flatnonzero(positions >= 0)
    if not len(known):
        return []
    own = positions[known]
    starts = np.flatnonzero(np.concatenate([[True], (own[1:] - own[:-1] != 1) | (known[1:] - known[:-1] != 1)]))
    lengths = np.diff(np.append(starts, len(known)))
    return list(zip(known[starts].tolist(), own[starts].tolist(), lengths.tolist(), strict=True))


def _crossed(places: Sequence[Positions]) -> tuple[Tensor, ...]:
    axes = range(len(places))
    return tuple(
        torch.from_numpy(own).view([-1 if axis == at else 1 for axis in axes]) for at, own in enumerate(places)
    )
