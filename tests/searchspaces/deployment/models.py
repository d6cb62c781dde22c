"""A small model and a plan for it, to be changed by the tests."""

from __future__ import annotations

from searchspaces.deployment import DEVICES, Cluster, Plan, RankingModel, Table

SMALL = Table("small", 1_000, 16, 2.0)
LARGE = Table("large", 1_000_000, 128, 10.0)
MODEL = RankingModel((SMALL, LARGE), dense_macs=1_000_000, dense_parameters=500_000, numeric=4)


def cluster(hosts: int = 1, devices_per_host: int = 8, device: str = "H100") -> Cluster:
    return Cluster(DEVICES[device], hosts, devices_per_host)


def plan(*sharding: str, hosts: int = 1, global_batch: int = 8_192) -> Plan:
    return Plan(cluster(hosts), sharding or ("row", "row"), global_batch)
