"""Weights that candidates share: one tensor for each key, of which each candidate takes the part that it means."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
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
Run = tuple[int, int, int]
"""Place in the part, place in the whole, and length of what lies together in both."""

Index = tuple[slice, ...] | tuple[Tensor, ...]
Pieces = list[tuple[Index, Index]]
"""Where each piece lies in the part and in the whole."""


@dataclass(eq=False)
class Shared:
    """Values and what AdaGrad adds up of their gradients. It grows as labels come; what was never drawn is NaN."""

    labels: tuple[Labels, ...]
    values: Tensor
    squares: Tensor
    _sorted: list[tuple[Labels, Positions]] = field(default_factory=list, init=False, repr=False)
    _last: tuple[Sequence[Labels], Pieces, bool] | None = field(default=None, init=False, repr=False)

    @classmethod
    def empty(cls, axes: int, like: Tensor) -> Shared:
        """With nothing along any axis."""
        none = np.zeros(0, np.uint64)
        return cls((none,) * axes, like.new_zeros((0,) * axes), like.new_zeros((0,) * axes))

    def take(self, labels: Sequence[Labels]) -> Tensor:
        """A copy of the values at these labels; NaN where there are none."""
        pieces, is_whole = self._pieces(labels)
        shape = [len(one) for one in labels]
        part = self.values.new_empty(shape) if is_whole else self.values.new_full(shape, torch.nan)
        return _copied(self.values, part, pieces)

    def put(self, labels: Sequence[Labels], values: Tensor) -> None:
        """Writes values, also where there were none."""
        self._grow(labels)
        for here, there in self._pieces(labels)[0]:
            self.values[there] = values[here]

    def learn(self, labels: Sequence[Labels], gradient: Tensor, *, rate: float, epsilon: float) -> None:
        """A step of AdaGrad (Duchi, Hazan and Singer 2011, Adaptive subgradient methods) on a part that is there."""
        pieces, _ = self._pieces(labels)
        squares = _copied(self.squares, torch.zeros_like(gradient), pieces).addcmul_(gradient, gradient)
        move = gradient / squares.sqrt().add_(epsilon)
        for here, there in pieces:
            self.squares[there] = squares[here]
            self.values[there] -= rate * move[here]

    @property
    def shape(self) -> tuple[int, ...]:
        """How many labels each axis has."""
        return tuple(len(one) for one in self.labels)

    def used(self) -> tuple[Tensor, Tensor]:
        """Values and squares without what is in reserve."""
        part = tuple(slice(0, size) for size in self.shape)
        return self.values[part], self.squares[part]

    def _pieces(self, labels: Sequence[Labels]) -> tuple[Pieces, bool]:
        """The pieces of the part at some labels, and whether all labels are there; of the last ones it is known."""
        if self._last is None or self._last[0] is not labels:
            runs = [self._runs(at, one) for at, one in enumerate(labels)]
            known = [sum(length for _, _, length in one) for one in runs]
            is_whole = known == [len(one) for one in labels]
            self._last = labels, _pieces(runs), is_whole
        return self._last[1], self._last[2]

    def _runs(self, axis: int, labels: Labels) -> list[Run]:
        own = self.labels[axis]
        if len(labels) <= len(own) and np.array_equal(own[: len(labels)], labels):
            return [(0, 0, len(labels))]
        return _runs(self._positions(axis, labels))

    def _positions(self, axis: int, labels: Labels) -> Positions:
        """Where the labels stand along an axis, -1 for those that do not."""
        if not len(self.labels[axis]):
            return np.full(len(labels), -1)
        if not self._sorted:
            orders = [np.argsort(one) for one in self.labels]
            self._sorted = [(one[order], order) for one, order in zip(self.labels, orders, strict=True)]
        ranked, order = self._sorted[axis]
        at = np.minimum(np.searchsorted(ranked, labels), len(ranked) - 1)
        found: Positions = np.where(ranked[at] == labels, order[at], -1)
        return found

    def _grow(self, labels: Sequence[Labels]) -> None:
        if self._pieces(labels)[1]:
            return
        fresh = [one[self._positions(at, one) < 0] for at, one in enumerate(labels)]
        self.labels = tuple(np.concatenate([own, new]) for own, new in zip(self.labels, fresh, strict=True))
        self._sorted, self._last = [], None
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


def _copied(tensor: Tensor, part: Tensor, pieces: Pieces) -> Tensor:
    for here, there in pieces:
        part[here] = tensor[there]
    return part


def _pieces(runs: Sequence[Sequence[Run]]) -> Pieces:
    """What lies together is moved together: a gather of single columns takes several times as long."""
    if math.prod(len(one) for one in runs) > MOST_RUNS:
        return [tuple(_crossed([_spread(one, side) for one in runs]) for side in (0, 1))]  # type: ignore[list-item]
    return [
        (
            tuple(slice(at, at + length) for at, _, length in chosen),
            tuple(slice(start, start + length) for _, start, length in chosen),
        )
        for chosen in itertools.product(*runs)
    ]


def _runs(positions: Positions) -> list[Run]:
    known = np.flatnonzero(positions >= 0)
    if not len(known):
        return []
    own = positions[known]
    breaks = np.flatnonzero((own[1:] - own[:-1] != 1) | (known[1:] - known[:-1] != 1)) + 1
    starts = np.concatenate([[0], breaks])
    lengths = np.concatenate([breaks, [len(known)]]) - starts
    return list(zip(known[starts].tolist(), own[starts].tolist(), lengths.tolist(), strict=True))


def _spread(runs: Sequence[Run], side: int) -> Positions:
    return np.concatenate([np.arange(one[side], one[side] + one[2]) for one in runs])


def _crossed(places: Sequence[Positions]) -> tuple[Tensor, ...]:
    axes = range(len(places))
    return tuple(
        torch.from_numpy(own).view([-1 if axis == at else 1 for axis in axes]) for at, own in enumerate(places)
    )
