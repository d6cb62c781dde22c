"""Directions that published measurements show, held against the shipped coefficients."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evaluators._codesign.coefficients import shipped_coefficients
from evaluators._codesign.collectives import Ring
from evaluators._codesign.step import step
from evaluators._codesign.work import exchange_seconds, lookup_bytes_per_second, work
from searchspaces.deployment import DEVICES, Cluster, Device, Plan, RankingModel, Table, memory_of, placed

TERABYTES = RankingModel(
    (Table("c", 33_200_000, 128, 20.0, count=200),), dense_macs=30_000_000_000, dense_parameters=200_000_000
)
"""Tables of 1.7 TB in fp16, as in the published two-dimensional runs, and a dense part that leaves them in sight."""

LOCAL_BATCH = 384


def spread(devices: int, groups: int) -> Plan:
    """Rows of all tables over each group; tables of two groups or more are averaged every fourth step."""
    batch = LOCAL_BATCH * devices
    return Plan(
        Cluster(DEVICES["H100"], devices // 8, 8), ("row",), batch, groups=groups, table_dtype="fp16", sync_interval=4
    )


def speed(model: RankingModel, plan: Plan) -> float:
    """Examples a second."""
    return plan.global_batch / step(work(model, plan), plan, shipped_coefficients()).seconds


@pytest.mark.parametrize("devices", [512, 1024])
def test_groups_of_256_are_faster_than_one_from_512_devices(devices: int) -> None:
    assert speed(TERABYTES, spread(devices, devices // 256)) > speed(TERABYTES, spread(devices, 1))


def test_one_group_runs_out_of_memory_at_2048_devices_and_groups_do_not() -> None:
    assert memory_of(TERABYTES, spread(1024, 1)).fits
    assert not memory_of(TERABYTES, spread(2048, 1)).fits
    assert memory_of(TERABYTES, spread(2048, 8)).fits
    assert memory_of(TERABYTES, spread(4096, 16)).fits


def test_groups_keep_most_of_their_speed_a_device() -> None:
    base = speed(TERABYTES, spread(256, 1)) / 256
    kept = [speed(TERABYTES, spread(devices, devices // 256)) / devices / base for devices in (1024, 2048, 4096)]
    assert all(0.6 < share <= 1.0 for share in kept)
    assert kept == sorted(kept, reverse=True)


def test_sharding_within_hosts_beats_sharding_everywhere_at_256_devices() -> None:
    model = RankingModel((Table("c", 1_000_000, 128, count=100),), 1_000_000_000, 1_000_000_000)
    plan = Plan(Cluster(DEVICES["A100"], 32, 8), ("even",), 256 * 512)
    assert speed(model, replace(plan, dense="hsdp")) > 1.1 * speed(model, replace(plan, dense="fsdp"))


def exchange_gain(hosts: int) -> float:
    """Seconds of the flat exchange over those of towers, one a host, that compress to a quarter."""
    model = RankingModel((Table("c", 1_000_000, 128, count=64),), 1, 1)
    plan = Plan(Cluster(DEVICES["H100"], hosts, 8), ("even",), hosts * 8 * 2048)
    group = Ring.of(plan.cluster.device, 8, hosts)
    flat, towers = (
        exchange_seconds(one, placed(model, one), group, 2)
        for one in (plan, replace(plan, towers=hosts, compression=4))
    )
    return flat / towers


def test_towers_gain_more_on_more_hosts_and_nothing_on_one() -> None:
    gains = [exchange_gain(hosts) for hosts in (1, 2, 4, 8, 16, 32)]
    assert gains[0] == 1.0
    assert gains == sorted(gains)
    assert gains[3] > 1.5


def test_towers_pay_for_the_modules_that_compress() -> None:
    model = RankingModel((Table("c", 1_000_000, 128, count=64),), 1, 1)
    plan = Plan(Cluster(DEVICES["H100"], 8, 8), ("even",), 64 * 2048)
    assert work(model, replace(plan, towers=8, compression=4)).dense > work(model, plan).dense


def test_memory_of_the_host_is_six_to_ten_times_slower_than_with_a_cache_of_a_fifth() -> None:
    device = Device("planner", 100, 32, 0.897, 600, 12.5, host_gigabytes_per_second=32)
    plan = Plan(Cluster(device, 1, 8), ("row",), 1024, tier="cached", prefetch=0)
    ratio = lookup_bytes_per_second(plan) / lookup_bytes_per_second(replace(plan, tier="host"))
    assert 6.0 < ratio < 10.0


def test_a_prefetched_batch_finds_its_rows_in_the_cache() -> None:
    plan = Plan(Cluster(DEVICES["H100"], 1, 8), ("row",), 1024, tier="cached", prefetch=2)
    assert lookup_bytes_per_second(plan) == lookup_bytes_per_second(replace(plan, tier="hbm"))


def test_newer_devices_gain_less_over_ethernet() -> None:
    model = RankingModel((Table("c", 1_000_000, 128, 4.0, count=64),), 16_000_000, 16_000_000)

    def gain(between: float | None) -> float:
        old, new = (
            replace(DEVICES[name], inter_gigabytes_per_second=between or DEVICES[name].inter_gigabytes_per_second)
            for name in ("A100", "H100")
        )
        one, other = (speed(model, Plan(Cluster(device, 8, 8), ("even",), 64 * 2048)) for device in (new, old))
        return one / other

    assert gain(12.5) < gain(None)
