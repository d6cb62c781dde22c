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

SIDE = 256
"""Numbers along a side of a tile."""

LONG_SIDE = 1 << 16
"""The same of what has one axis."""

Positions = NDArray[np.int64]
Run = tuple[int, int, int]
"""Place in the part, place in the whole or in a tile, and length of what lies together in both."""

Key = tuple[int, ...]
"""Which tile along each axis."""

Index = tuple[slice, ...] | tuple[Tensor, ...]
Pieces = list[tuple[Key, Index, Index]]
"""Of each piece the tile, where it lies in the part, and where in the tile."""


@dataclass(eq=False)
class Tile:
    """Values, NaN where none was drawn, and what AdaGrad adds up of their gradients."""

    values: Tensor
    squares: Tensor

    def grown(self, shape: Sequence[int]) -> Tile:
        """Itself, or what holds it at its beginning."""
        if tuple(self.values.shape) == tuple(shape):
            return self
        return Tile(_enlarged(self.values, shape, torch.nan), _enlarged(self.squares, shape, 0.0))


@dataclass(eq=False)
class Shared:
    """A tensor with labels along its axes, kept in tiles that are made when something is written there.

    It grows as labels come. Candidates draw parts of it, and where both axes are wide joins of inputs, much is no part
    of any: a full rectangle takes many times the memory. `like` has the type and the device.
    """

    labels: tuple[Labels, ...]
    like: Tensor
    tiles: dict[Key, Tile] = field(default_factory=dict)
    _room: list[int] = field(init=False, repr=False)
    _sorted: list[tuple[Labels, Positions]] = field(default_factory=list, init=False, repr=False)
    _last: tuple[Sequence[Labels], Pieces, bool] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._room = list(self.shape)

    @classmethod
    def empty(cls, axes: int, like: Tensor) -> Shared:
        """With nothing along any axis."""
        none = np.zeros(0, np.uint64)
        return cls((none,) * axes, like.new_zeros(0))

    def take(self, labels: Sequence[Labels]) -> Tensor:
        """A copy of the values at these labels; NaN where there are none."""
        pieces, is_whole = self._pieces(labels)
        shape = [len(one) for one in labels]
        part = self.like.new_empty(shape) if is_whole else self.like.new_full(shape, torch.nan)
        for key, here, there in pieces:
            part[here] = self.tiles[key].values[there] if key in self.tiles else torch.nan
        return part

    def put(self, labels: Sequence[Labels], values: Tensor) -> None:
        """Writes values, also where there were none."""
        self._grow(labels)
        for key, here, there in self._pieces(labels)[0]:
            self._tile(key).values[there] = values[here]

    def learn(self, labels: Sequence[Labels], gradient: Tensor, *, rate: float, epsilon: float) -> None:
        """A step of AdaGrad (Duchi, Hazan and Singer 2011, Adaptive subgradient methods) on a part.

        Where no tile is, there is nothing to learn: all labels of two candidates cross in places that neither has.
        """
        for key, here, there in self._pieces(labels)[0]:
            if key not in self.tiles:
                continue
            tile, own = self.tiles[key], gradient[here]
            squares = tile.squares[there] + own * own
            tile.squares[there] = squares
            tile.values[there] -= rate * (own / squares.sqrt_().add_(epsilon))

    @property
    def shape(self) -> tuple[int, ...]:
        """How many labels each axis has."""
        return tuple(len(one) for one in self.labels)

    def used(self) -> dict[Key, Tile]:
        """The tiles without what is in reserve."""
        parts = {key: tuple(slice(0, size) for size in self._extent(key, self.shape)) for key in self.tiles}
        return {key: Tile(one.values[parts[key]], one.squares[parts[key]]) for key, one in self.tiles.items()}

    @property
    def _side(self) -> int:
        return LONG_SIDE if len(self.labels) == 1 else SIDE

    def _tile(self, key: Key) -> Tile:
        if key not in self.tiles:
            shape = self._extent(key, self._room)
            self.tiles[key] = Tile(self.like.new_full(shape, torch.nan), self.like.new_zeros(shape))
        return self.tiles[key]

    def _extent(self, key: Key, whole: Sequence[int]) -> tuple[int, ...]:
        """The shape of a tile of a rectangle."""
        return tuple(min(self._side, size - at * self._side) for at, size in zip(key, whole, strict=True))

    def _pieces(self, labels: Sequence[Labels]) -> tuple[Pieces, bool]:
        """The pieces of the part at some labels, and whether all labels are there; of the last ones it is known."""
        if self._last is None or self._last[0] is not labels:
            runs = [self._runs(at, one) for at, one in enumerate(labels)]
            known = [sum(length for _, _, length in one) for one in runs]
            is_whole = known == [len(one) for one in labels]
            self._last = labels, _tiled(runs, self._side), is_whole
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
        pairs = list(zip(self._room, self.shape, strict=True))
        if any(have < need for have, need in pairs):
            self._room = [have if have >= need else need if have == 0 else int(need * RESERVE) for have, need in pairs]
            self.tiles = {key: one.grown(self._extent(key, self._room)) for key, one in self.tiles.items()}


def _enlarged(tensor: Tensor, shape: Sequence[int], fill: float) -> Tensor:
    larger = tensor.new_full(tuple(shape), fill)
    larger[tuple(slice(0, size) for size in tensor.shape)] = tensor
    return larger


def _tiled(runs: Sequence[Sequence[Run]], side: int) -> Pieces:
    """The pieces of a part, tile by tile."""
    by_tile = [_cut(one, side) for one in runs]
    return [
        (key, here, there)
        for key in itertools.product(*by_tile)
        for here, there in _pieces([own[at] for own, at in zip(by_tile, key, strict=True)])
    ]


def _cut(runs: Sequence[Run], side: int) -> dict[int, list[Run]]:
    """Runs along an axis, cut where tiles meet, by tile and with their places in it."""
    found: dict[int, list[Run]] = {}
    for at, start, length in runs:
        done = 0
        while done < length:
            tile, inside = divmod(start + done, side)
            size = min(length - done, side - inside)
            found.setdefault(tile, []).append((at + done, inside, size))
            done += size
    return found


def _pieces(runs: Sequence[Sequence[Run]]) -> list[tuple[Index, Index]]:
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
