"""What a step has to do under a plan, in seconds at data-sheet peaks: everything that no coefficient is needed for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from evaluators._codesign.collectives import Ring
from evaluators._codesign.dense_strategies import gather_seconds, gradient_seconds
from searchspaces.deployment import BYTES, Placement, Plan, RankingModel, placed
from searchspaces.deployment.placement import INDEX_BYTES

BACKWARD_LOOKUPS = 2.0
"""Bytes of the backward pass over the tables, in units of the forward pass (TorchRec's planner)."""

JITTER = 0.02
"""Standard deviation of one device's step over its mean: a guess that makes large clusters wait a little."""

READ_BYTES_PER_SECOND, STORED_BYTES = 2e9, 4
"""Of one loader process that reads prepared binary records, a guess; and of a number in these."""

_CACHE_SHARE = 0.1
"""Of its bandwidth that a table outside the device's own memory reaches (TorchRec's planner divides by ten)."""


@dataclass(frozen=True)
class Work:
    """Seconds at peak. Those of a micro-batch: all but `all_reduce`, `synchronisation` and `reading`, once a step.

    dense              multiply-adds, or the weights' bytes where these take longer
    lookups            table memory of the fullest device, forwards and backwards
    exchange           pooled vectors and their gradients among a group's devices
    exchange_latency   of the messages of these
    indices            ids on their way to the tables
    gathers            parameters on their way to the devices, where these are sharded
    all_reduce         gradients of the dense part and of data-parallel tables
    synchronisation    tables among groups, a share of each step
    reading            the step's examples from the loaders of a host
    straggling         the expected slowest of all devices over their mean
    """

    dense: float
    lookups: float
    exchange: float
    exchange_latency: float
    indices: float
    gathers: float
    all_reduce: float
    synchronisation: float
    reading: float
    straggling: float


def work(model: RankingModel, plan: Plan, placement: Placement | None = None) -> Work:
    """What a step of the plan has to do."""
    found = placement or placed(model, plan)
    cluster = plan.cluster
    everybody = Ring.of(cluster.device, cluster.devices_per_host, cluster.hosts)
    group = Ring.of(cluster.device, plan.group_devices_per_host, plan.group_hosts)
    directions = (plan.forward_dtype, plan.backward_dtype)
    return Work(
        dense=dense_seconds(model, plan),
        lookups=lookup_seconds(plan, found),
        exchange=sum(exchange_seconds(plan, found, group, BYTES[dtype]) for dtype in directions),
        exchange_latency=2 * group.all_to_all_latency,
        indices=group.all_to_all_seconds(INDEX_BYTES * plan.local_batch * model.lookups),
        gathers=gather_seconds(model.dense_parameters, plan, everybody),
        all_reduce=gradient_seconds(model.dense_parameters, found.replicated, plan, everybody),
        synchronisation=synchronisation_seconds(plan, found),
        reading=reading_seconds(model, plan),
        straggling=1 + JITTER * math.sqrt(2 * math.log(cluster.devices)),
    )


def dense_seconds(model: RankingModel, plan: Plan) -> float:
    """Six operations a multiply-add (forward, and twice that backward), or three passes over the weights' bytes."""
    device = plan.cluster.device
    macs = model.dense_macs + tower_macs(model, plan)
    arithmetic = 6 * macs * plan.local_batch / device.flops_per_second(plan.compute_dtype)
    weights = 3 * model.dense_parameters * BYTES[plan.compute_dtype] / device.memory_bytes_per_second
    return max(arithmetic, weights)


def tower_macs(model: RankingModel, plan: Plan) -> float:
    """Of the modules that compress each tower's vectors: a matrix from its width to its width / compression."""
    if plan.towers == 1 or plan.compression == 1:
        return 0.0
    return model.width**2 / (plan.towers * plan.compression)


def lookup_seconds(plan: Plan, placement: Placement) -> float:
    """Of the device with most to look up, forwards and backwards."""
    bandwidth = lookup_bytes_per_second(plan)
    return float(np.max(placement.lookup_bytes)) * (1 + BACKWARD_LOOKUPS) / bandwidth


def lookup_bytes_per_second(plan: Plan) -> float:
    """Of the memory that the tables lie in. A batch that is prefetched finds its rows in the cache."""
    device = plan.cluster.device
    own, host = device.memory_bytes_per_second, device.host_gigabytes_per_second * 1e9
    if plan.tier == "hbm" or (plan.tier == "cached" and plan.prefetch > 1):
        return own
    hit = plan.cache_ratio if plan.tier == "cached" else 0.0
    return _CACHE_SHARE * (hit * own + (1 - hit) * host)


def exchange_seconds(plan: Plan, placement: Placement, group: Ring, number_bytes: int) -> float:
    """Pooled vectors from the tables' owners to everybody, one way.

    Whole tables and columns go all to all, towers in two hops; sums of which everybody has a part are
    reduced over the group, or within the owner's host and then sent by rail to the other hosts.
    """
    sent = float(np.max(placement.sent)) * number_bytes
    within_host = float(np.max(placement.host_partial)) * number_bytes
    hosted = Ring(group.within, 1, group.within_bytes_per_second, group.between_bytes_per_second)
    by_rail = Ring(1, group.hosts, group.within_bytes_per_second, group.between_bytes_per_second)
    return (
        (towers_seconds(plan, sent, group) if plan.towers > 1 else group.all_to_all_seconds(sent))
        + group.reduce_scatter_seconds(placement.partial * number_bytes)
        + hosted.reduce_scatter_seconds(within_host)
        + by_rail.all_to_all_seconds(within_host / group.within)
    )


def towers_seconds(plan: Plan, sent: float, group: Ring) -> float:
    """Disaggregated towers: all of it within a tower's hosts, then compressed between towers, rail by rail.

    Source: Luo et al. 2024, Disaggregated multi-tower: topology-aware modeling technique for efficient large scale
    recommendation.
    """
    links = group.within_bytes_per_second, group.between_bytes_per_second
    inside = Ring(group.within, max(group.hosts // plan.towers, 1), *links)
    between = Ring(1, plan.towers, *links)
    return inside.all_to_all_seconds(sent) + between.all_to_all_seconds(sent / plan.compression)


def synchronisation_seconds(plan: Plan, placement: Placement) -> float:
    """Copies of a table shard are averaged over the groups that hold one, every so many steps.

    Not those of data-parallel tables: their gradients are summed up over all devices, which keeps them the same.

    Source: Zhang et al. 2025, Two-dimensional sparse parallelism for large scale deep learning recommendation model
    training.
    """
    if plan.groups == 1:
        return 0.0
    device = plan.cluster.device
    copies_in_host = max(plan.cluster.devices_per_host // plan.group_size, 1)
    ring = Ring.of(device, copies_in_host, plan.groups // copies_in_host)
    held = float(np.max(placement.weights - placement.replicated)) * BYTES[plan.table_dtype]
    return ring.all_reduce_seconds(held) / plan.sync_interval


def reading_seconds(model: RankingModel, plan: Plan) -> float:
    """Of one host's loaders."""
    example_bytes = (model.lookups + model.numeric) * STORED_BYTES
    return plan.global_batch / plan.cluster.hosts * example_bytes / (plan.loader_workers * READ_BYTES_PER_SECOND)
