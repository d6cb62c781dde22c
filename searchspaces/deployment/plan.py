"""A plan: how a model's training is laid out on a cluster, every knob decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from searchspaces.deployment.cluster import Cluster

BYTES: Mapping[str, int] = MappingProxyType({"fp32": 4, "tf32": 4, "bf16": 2, "fp16": 2, "fp8": 1, "int8": 1})
"""Of one number."""

COLUMNS: Mapping[str, int] = MappingProxyType({"column_2": 2, "column_4": 4, "column_8": 8})
SHARDINGS = ("table", *COLUMNS, "row", "table_row", "grid", "data", "even")
"""How a table is spread over a group of devices.

table      whole, on one device
column_k   k slices of its columns, each on a device
row        an equal part of its rows on every device
table_row  its rows over the devices of one host
grid       a slice of its columns for each host, and that slice's rows over the host's devices
data       a copy on every device, whose gradients are summed up
even       a share of every load on each device: the bound that no placement beats, and what stands for a tuned
           placement that nobody has published; no plan that could be run
"""

TIERS = ("hbm", "cached", "host")
"""Where sharded tables lie: in the device's memory, in the host's with a cache on the device, in the host's alone."""

DENSE = ("ddp", "grad_op", "hsdp", "fsdp")
"""How the dense part is kept: whole everywhere; gradients and optimizer sharded; all of it within hosts; everywhere."""


@dataclass(frozen=True)
class Plan:
    """Every knob of one way to train. `sharding` has an entry for each entry of the model's tables.

    groups             M, each with a copy of all tables; synchronised every `sync_interval` steps where M > 1
    towers             T, over whose hosts the tables are spread so that a feature leaves its tower only compressed by
                       `compression`; 1 is none
    cache_ratio        the share of rows that tier 'cached' holds on the device
    global_batch       examples of a step, of `accumulation` micro-batches on each device
    prefetch           batches in flight beside the one that is computed; 0 overlaps nothing with compute
    compiled           whether launches are captured or fused away
    loader_workers     processes a host that read data
    """

    cluster: Cluster
    sharding: tuple[str, ...]
    global_batch: int
    tier: str = "hbm"
    cache_ratio: float = 0.2
    groups: int = 1
    sync_interval: int = 1
    towers: int = 1
    compression: int = 1
    dense: str = "ddp"
    compute_dtype: str = "bf16"
    table_dtype: str = "fp32"
    forward_dtype: str = "fp16"
    backward_dtype: str = "bf16"
    all_reduce_dtype: str = "fp32"
    accumulation: int = 1
    prefetch: int = 1
    compiled: bool = True
    loader_workers: int = 16

    @property
    def group_size(self) -> int:
        """G, devices that share one copy of the tables."""
        return self.cluster.devices // self.groups

    @property
    def group_devices_per_host(self) -> int:
        """How many of a group's devices share a host."""
        return min(self.cluster.devices_per_host, self.group_size)

    @property
    def group_hosts(self) -> int:
        """Hosts of a group."""
        return self.group_size // self.group_devices_per_host

    @property
    def local_batch(self) -> float:
        """b, examples of one device's micro-batch."""
        return self.global_batch / (self.cluster.devices * self.accumulation)

    @property
    def group_batch(self) -> float:
        """Examples of a group's micro-batch: what a table's owner looks up for all its group."""
        return self.local_batch * self.group_size
