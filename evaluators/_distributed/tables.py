"""Tables, sharded: rows are fetched from the ranks that hold them, and gradients brought back to them.

Letters: B rows of a rank's batch, C look-ups of each, D numbers of a row, N ranks of a group.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor

from evaluators._distributed.kept import Bytes, Floats, Kept
from evaluators._distributed.rules import RowRule
from evaluators._distributed.sharding import Sharding, cut, placed
from evaluators._distributed.world import Group


@dataclass(frozen=True)
class Wire:
    """What is sent: the type of vectors on their way out and of gradients on their way back, and whether a row that a
    batch looks up several times is sent once."""

    forward: torch.dtype = torch.float32
    backward: torch.dtype = torch.float32
    is_deduplicated: bool = False


@dataclass(frozen=True)
class Moving:
    """How rows move, and how they are kept meanwhile: as they are, or as bytes; `seed` is that of their rounding."""

    rule: RowRule = field(default_factory=RowRule)
    is_int8: bool = False
    seed: int = 0

    def kept(self, local: Float[Tensor, "rows numbers"]) -> Kept:
        """The rows as they are kept."""
        return Bytes(local, members=self.rule.members, seed=self.seed) if self.is_int8 else Floats(local)


class ShardedTable(ABC):
    """A table's part on this rank.

    `fetch` and `learn` take turns; all ranks of the group call both, each with its own batch of the same size.
    """

    def __init__(self, local: Float[Tensor, "rows numbers"], group: Group, wire: Wire, moving: Moving) -> None:
        self.kept = moving.kept(local)
        self.group, self.wire, self._rule = group, wire, moving.rule
        self._rows, self._device = len(local), local.device
        self._state = moving.rule.state_of(local)
        self._trip: Any = None

    def fetch(self, rows: Int[Tensor, "B C"]) -> Float[Tensor, "B C D"]:
        """The vectors of rows of the whole table."""
        flat, back = rows.flatten(), None
        if self.wire.is_deduplicated:
            flat, back = torch.unique(flat, return_inverse=True)
        vectors, self._trip = self._fetched(flat)
        self._back, self._count = back, len(flat)
        found = vectors if back is None else vectors.index_select(0, back)
        return found.view(*rows.shape, -1)

    def learn(self, gradient: Float[Tensor, "B C D"]) -> None:
        """Moves the rows last fetched, by the gradient of this rank's mean loss; the group's mean loss counts."""
        flat = gradient.flatten(0, 1)
        if self._back is not None:
            flat = flat.new_zeros(self._count, flat.shape[1]).index_add_(0, self._back, flat)
        rows, found = self._returned(flat, self._trip)
        if self._rule.is_dense:
            whole = found.new_zeros(self._rows, found.shape[1]).index_add_(0, rows, found) / self.group.size
            self.kept.move_all(self._rule.whole_step(self._state, whole), self._rule.rate)
            return
        unique, place = torch.unique(rows, return_inverse=True)
        summed = found.new_zeros(len(unique), found.shape[1]).index_add_(0, place, found) / self.group.size
        self.kept.move(unique, self._rule.step(self._state, unique, summed), self._rule.rate)

    def average(self, across: Group) -> None:
        """Makes rows and state those of the mean over ranks that hold the same part."""
        values = self.kept.all()
        across.average([values, *self._state])
        self.kept.replace(values)

    @abstractmethod
    def _fetched(self, rows: Int[Tensor, " n"]) -> tuple[Float[Tensor, "n D"], Any]:
        """The vectors, and what `_returned` needs to know of the trip."""

    @abstractmethod
    def _returned(self, gradient: Float[Tensor, "n D"], trip: Any) -> tuple[Int[Tensor, " m"], Float[Tensor, "m E"]]:
        """The local rows that were asked for here, and the gradients of each."""

    @abstractmethod
    def whole(self) -> Float[Tensor, "rows D"]:
        """The whole table, on every rank."""


class Routed(ShardedTable):
    """Each row lives on one rank: look-ups go to the owners and vectors come back, each by one all-to-all.

    A table is made of blocks of `sizes` rows; `owners` are their ranks.
    """

    def __init__(
        self,
        table: Float[Tensor, "rows D"],
        sizes: Sequence[int],
        owners: Sequence[int],
        group: Group,
        wire: Wire,
        moving: Moving,
    ) -> None:
        blocks = torch.split(table, list(sizes))
        mine = [block for block, owner in zip(blocks, owners, strict=True) if owner == group.rank]
        starts, first = _local_starts(sizes, owners), [0, *accumulate(sizes)]
        shifts = [start - known for start, known in zip(starts, first, strict=False)]
        self._ends, self._owners, self._shifts = (
            torch.tensor(one, device=table.device) for one in (first[1:], owners, shifts)
        )
        super().__init__(torch.cat(mine) if mine else table[:0], group, wire, moving)

    def _fetched(self, rows: Int[Tensor, " n"]) -> tuple[Float[Tensor, "n D"], Any]:
        block = torch.searchsorted(self._ends, rows, right=True)
        owner = self._owners[block]
        order = torch.argsort(owner, stable=True)
        sent = torch.bincount(owner, minlength=self.group.size).tolist()
        received = self.group.counts(sent, rows.device)
        asked = self.group.exchanged((rows + self._shifts[block])[order], sent, received)
        answers = self.kept.read(asked).to(self.wire.forward)
        vectors = self.group.exchanged(answers, received, sent).to(torch.float32)
        return torch.empty_like(vectors).index_copy_(0, order, vectors), (order, sent, received, asked)

    def _returned(self, gradient: Float[Tensor, "n D"], trip: Any) -> tuple[Tensor, Tensor]:
        order, sent, received, asked = trip
        given = self.group.exchanged(gradient[order].to(self.wire.backward), sent, received)
        return asked, given.to(torch.float32)

    def whole(self) -> Float[Tensor, "rows D"]:
        """By asking every owner for every row."""
        return self._fetched(torch.arange(int(self._ends[-1]), device=self._device))[0]


class Columns(ShardedTable):
    """Each rank has some numbers of all rows: look-ups go to everyone, and each brings its numbers of the vectors."""

    def __init__(self, table: Float[Tensor, "rows D"], group: Group, wire: Wire, moving: Moving) -> None:
        self._widths = cut(table.shape[1], group.size)
        super().__init__(torch.split(table, self._widths, 1)[group.rank], group, wire, moving)

    def _fetched(self, rows: Int[Tensor, " n"]) -> tuple[Float[Tensor, "n D"], Any]:
        lengths, asked = _all_rows(self.group, rows)
        answers = self.kept.read(asked).to(self.wire.forward).flatten()
        mine = self._widths[self.group.rank]
        received = [len(rows) * width for width in self._widths]
        flat = self.group.exchanged(answers, [length * mine for length in lengths], received).to(torch.float32)
        pieces = [one.view(len(rows), -1) for one in torch.split(flat, received)]
        return torch.cat(pieces, 1), (lengths, asked)

    def _returned(self, gradient: Float[Tensor, "n D"], trip: Any) -> tuple[Tensor, Tensor]:
        lengths, asked = trip
        mine = self._widths[self.group.rank]
        pieces = [one.flatten() for one in torch.split(gradient.to(self.wire.backward), self._widths, 1)]
        received = [length * mine for length in lengths]
        given = self.group.exchanged(torch.cat(pieces), [len(one) for one in pieces], received)
        return asked, given.view(-1, mine).to(torch.float32)

    def whole(self) -> Float[Tensor, "rows D"]:
        """By asking everyone for every row."""
        return self._fetched(torch.arange(self._rows, device=self._device))[0]


class Replicated(ShardedTable):
    """Everyone has the whole table; gradients of the rows in use are what is exchanged."""

    def _fetched(self, rows: Int[Tensor, " n"]) -> tuple[Float[Tensor, "n D"], Any]:
        return self.kept.read(rows), rows

    def _returned(self, gradient: Float[Tensor, "n D"], trip: Any) -> tuple[Tensor, Tensor]:
        lengths, asked = _all_rows(self.group, trip)
        everything = gradient.to(self.wire.backward).repeat(self.group.size, 1)
        given = self.group.exchanged(everything, [len(trip)] * self.group.size, lengths)
        return asked, given.to(torch.float32)

    def whole(self) -> Float[Tensor, "rows D"]:
        """As it is here."""
        return self.kept.all()


class FieldTables:
    """Tables of single fields, which are fetched one after the other: the j-th look-up is a row of part j.

    Stands for the table that has all of them under each other, and takes its rows.
    """

    def __init__(self, tables: Sequence[ShardedTable], sizes: Sequence[int]) -> None:
        self._tables = tuple(tables)
        self._starts = [0, *accumulate(sizes)][:-1]

    def fetch(self, rows: Int[Tensor, "B C"]) -> Float[Tensor, "B C D"]:
        """The vectors of rows of the whole table."""
        columns = zip(self._tables, torch.split(rows, 1, dim=1), self._starts, strict=True)
        return torch.cat([table.fetch(column - start) for table, column, start in columns], 1)

    def learn(self, gradient: Float[Tensor, "B C D"]) -> None:
        """As one table does."""
        for table, one in zip(self._tables, torch.split(gradient, 1, dim=1), strict=True):
            table.learn(one)

    def average(self, across: Group) -> None:
        """As one table does."""
        for table in self._tables:
            table.average(across)

    def whole(self) -> Float[Tensor, "rows D"]:
        """The whole table, on every rank."""
        return torch.cat([table.whole() for table in self._tables])


def sharded(
    table: Float[Tensor, "rows D"], parts: Sequence[int], kind: Sharding, group: Group, wire: Wire, moving: Moving
) -> ShardedTable:
    """This rank's part of a table whose parts have so many rows."""
    return _sharded(table, parts, kind, placed(parts, group.size), (group, wire, moving))


def sharded_fields(
    table: Float[Tensor, "rows D"], parts: Sequence[int], kind: Sharding, group: Group, wire: Wire, moving: Moving
) -> FieldTables:
    """This rank's parts of the tables of single fields, each of which is a part of the given one."""
    owners = placed(parts, group.size)
    pieces = zip(torch.split(table, list(parts)), parts, owners, strict=True)
    return FieldTables(
        [_sharded(piece, [rows], kind, [owner], (group, wire, moving)) for piece, rows, owner in pieces], parts
    )


def _sharded(
    table: Float[Tensor, "rows D"],
    parts: Sequence[int],
    kind: Sharding,
    owners: Sequence[int],
    ways: tuple[Group, Wire, Moving],
) -> ShardedTable:
    group = ways[0]
    if kind is Sharding.DATA_PARALLEL:
        return Replicated(table, *ways)
    if kind is Sharding.COLUMN:
        return Columns(table, *ways)
    if kind is Sharding.ROW:
        return Routed(table, cut(len(table), group.size), range(group.size), *ways)
    return Routed(table, parts, owners, *ways)


def _local_starts(sizes: Sequence[int], owners: Sequence[int]) -> list[int]:
    """Where each block begins in the shard of its owner."""
    filled: dict[int, int] = {}
    starts = []
    for size, owner in zip(sizes, owners, strict=True):
        starts.append(filled.get(owner, 0))
        filled[owner] = starts[-1] + size
    return starts


def _all_rows(group: Group, rows: Int[Tensor, " n"]) -> tuple[list[int], Int[Tensor, " m"]]:
    """What every rank asks for: how many rows each, and the rows, by rank."""
    lengths = group.counts([len(rows)] * group.size, rows.device)
    return lengths, group.exchanged(rows.repeat(group.size), [len(rows)] * group.size, lengths)
