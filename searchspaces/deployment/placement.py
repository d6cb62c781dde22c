"""Which device holds and looks up what: the loads of a group's devices under a plan.

A step waits for its slowest device, so loads are kept a device and their largest counts, not their mean. Shards that
can lie anywhere are placed by the longest-processing-time rule (Graham 1969, Bounds on multiprocessing timing
anomalies): the heaviest first, each on the device with the least to look up so far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from searchspaces.deployment.model import RankingModel, Table, short_row_penalty
from searchspaces.deployment.plan import BYTES, COLUMNS, Plan

INDEX_BYTES = 8
Loads = NDArray[np.float64]


@dataclass(frozen=True)
class Placement:
    """Loads of one micro-batch's forward pass, and what is held.

    weights          numbers of tables that each device holds, data-parallel ones included, `[devices of a group]`
    rows             as many rows: what a row-wise optimizer keeps a number for
    lookup_bytes     moved in table memory, weighted by how well rows use it, same shape
    sent             numbers that each device sends to the others of its group, same shape
    partial          numbers, of which every device has a part of the sum, that are reduced over the group
    host_partial     the same reduced within a host, `[hosts of a group]`
    replicated       numbers of data-parallel tables, whose gradients are summed up over all devices
    """

    weights: Loads
    rows: Loads
    lookup_bytes: Loads
    sent: Loads
    partial: float
    host_partial: Loads
    replicated: int


@dataclass(frozen=True)
class _Shard:
    """A piece that can lie on any device: its numbers, rows, lookup bytes and output numbers."""

    weights: float
    rows: float
    lookup_bytes: float
    output: float


def placed(model: RankingModel, plan: Plan) -> Placement:
    """Loads of a group's devices."""
    builder = _Builder(plan)
    for table, sharding in zip(model.tables, plan.sharding, strict=True):
        builder.add(table, sharding)
    return builder.placement()


def lookup_bytes(plan: Plan, examples: float, *, lookups: float, dim: int) -> float:
    """Bytes of `lookups` rows of `dim` numbers, of their indices, and of the pooled output of `examples`."""
    read = lookups * (dim * BYTES[plan.table_dtype] + INDEX_BYTES)
    return (read + examples * dim * BYTES[plan.forward_dtype]) * short_row_penalty(dim)


class _Builder:
    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        size = plan.group_size
        self._weights, self._rows, self._lookups, self._sent = (np.zeros(size) for _ in range(4))
        self._host_partial = np.zeros(plan.group_hosts)
        self._partial = 0.0
        self._replicated = 0
        self._shards: list[_Shard] = []

    def add(self, table: Table, sharding: str) -> None:
        if sharding in ("row", "even"):
            self._spread(table, is_even=sharding == "even")
        elif sharding == "data":
            self._replicate(table)
        elif sharding in ("table_row", "grid"):
            for _ in range(table.count):
                self._within_hosts(table, is_grid=sharding == "grid")
        else:
            self._shards.extend(_slices(table, self._plan, COLUMNS.get(sharding, 1)))

    def placement(self) -> Placement:
        for shard in sorted(self._shards, key=lambda one: one.lookup_bytes, reverse=True):
            at = int(np.argmin(self._lookups))
            self._weights[at] += shard.weights
            self._rows[at] += shard.rows
            self._lookups[at] += shard.lookup_bytes
            self._sent[at] += shard.output
        return Placement(
            self._weights, self._rows, self._lookups, self._sent, self._partial, self._host_partial, self._replicated
        )

    def _spread(self, table: Table, *, is_even: bool) -> None:
        """An equal part of the lookups everywhere; row-wise each device has a part of everybody's sums."""
        plan, count, size = self._plan, table.count, self._plan.group_size
        outputs = plan.local_batch if is_even else plan.group_batch
        found = lookup_bytes(plan, outputs, lookups=plan.local_batch * table.hotness, dim=table.dim)
        self._weights += table.weights * count / size
        self._rows += table.rows * count / size
        self._lookups += found * count
        if is_even:
            self._sent += plan.local_batch * table.dim * count
        else:
            self._partial += plan.group_batch * table.dim * count

    def _replicate(self, table: Table) -> None:
        plan, count = self._plan, table.count
        found = lookup_bytes(plan, plan.local_batch, lookups=plan.local_batch * table.hotness, dim=table.dim)
        self._weights += table.weights * count
        self._rows += table.rows * count
        self._lookups += found * count
        self._replicated += table.weights * count

    def _within_hosts(self, table: Table, *, is_grid: bool) -> None:
        """Rows over the devices of a host, or of each host for its slice of the columns."""
        plan, width = self._plan, self._plan.group_devices_per_host
        hosts = range(plan.group_hosts) if is_grid else (self._idlest_host(),)
        dim = -(-table.dim // len(hosts))
        lookups = plan.group_batch * table.hotness / width
        found = lookup_bytes(plan, plan.group_batch, lookups=lookups, dim=dim)
        for host in hosts:
            devices = slice(host * width, (host + 1) * width)
            self._weights[devices] += table.rows * dim / width
            self._rows[devices] += table.rows / width
            self._lookups[devices] += found
            self._host_partial[host] += plan.group_batch * dim

    def _idlest_host(self) -> int:
        by_host = self._lookups.reshape(self._plan.group_hosts, -1)
        return int(np.argmin(by_host.max(axis=1)))


def _slices(table: Table, plan: Plan, count: int) -> Iterator[_Shard]:
    dim = -(-table.dim // count)
    lookups = plan.group_batch * table.hotness
    found = lookup_bytes(plan, plan.group_batch, lookups=lookups, dim=dim)
    shard = _Shard(table.rows * dim, table.rows, found, plan.group_batch * dim)
    yield from (shard for _ in range(count * table.count))
