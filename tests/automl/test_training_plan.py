"""Plans for other programs: constraints of TorchRec, and a launch."""

from __future__ import annotations

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from automl.export import launch_script, torchrec_constraints
from searchspaces.deployment import DEVICES, Cluster, Plan, RankingModel, Table

MODEL = RankingModel((Table("user", 1_000_000, 128, 3.0), Table("small", 100, 16, count=2)), 1, 1)
PLAN = Plan(Cluster(DEVICES["H100"], 2, 8), ("column_4", "data"), 65_536)


def test_each_table_has_its_one_way_to_be_sharded() -> None:
    found = torchrec_constraints(MODEL, PLAN)
    small = {"sharding_types": ["data_parallel"], "compute_kernels": ["dense"], "pooling_factors": [1.0]}
    assert found == {
        "user": {
            "sharding_types": ["column_wise"],
            "compute_kernels": ["fused"],
            "pooling_factors": [3.0],
            "min_partition": 32,
        },
        "small_0": small,
        "small_1": small,
    }


@pytest.mark.parametrize(
    ("sharding", "expected"),
    [("table", "table_wise"), ("row", "row_wise"), ("table_row", "table_row_wise"), ("grid", "grid_shard")],
)
def test_ways_to_shard_have_torchrecs_names(sharding: str, expected: str) -> None:
    found = torchrec_constraints(MODEL, replace(PLAN, sharding=(sharding, sharding)))
    assert found["user"]["sharding_types"] == [expected]
    assert found["user"].get("min_partition") == (64 if sharding == "grid" else None)


def test_a_cache_is_told_its_share() -> None:
    found = torchrec_constraints(MODEL, replace(PLAN, tier="cached", cache_ratio=0.1))
    assert found["user"]["compute_kernels"] == ["fused_uvm_caching"]
    assert found["user"]["cache_params"] == {"load_factor": 0.1}
    assert "cache_params" not in found["small_0"]


def launched(tmp_path: Path, plan: Plan, **variables: str) -> subprocess.CompletedProcess[str]:
    """The script runs, with a stand-in for torchrun that prints what it is given."""
    stand_in = tmp_path / "torchrun"
    stand_in.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n', encoding="utf-8")
    stand_in.chmod(0o755)
    script = tmp_path / "launch.sh"
    script.write_text(launch_script(plan), encoding="utf-8")
    variables["PATH"] = f"{tmp_path}:/usr/bin:/bin"
    return subprocess.run(["sh", script, "my train.py"], env=variables, capture_output=True, text=True, check=False)


def test_the_launch_hands_every_knob_to_the_trainer(tmp_path: Path) -> None:
    words = launched(tmp_path, replace(PLAN, cluster=Cluster(DEVICES["H100"], 1, 8))).stdout.splitlines()
    assert words[:3] == ["--nnodes=1", "--nproc-per-node=8", "my train.py"]
    assert {"--global-batch=65536", "--dense=ddp", "--compiled=true", "--sync-interval=1"} <= set(words)


def test_hosts_find_each_other_where_they_are_told(tmp_path: Path) -> None:
    words = launched(tmp_path, PLAN, RDZV_ENDPOINT="first:29400", RDZV_ID="run 7").stdout.splitlines()
    meeting = ["--rdzv-backend=c10d", "--rdzv-id=run 7", "--rdzv-endpoint=first:29400"]
    assert words[:6] == ["--nnodes=2", "--nproc-per-node=8", *meeting, "my train.py"]


def test_a_launch_on_several_hosts_without_a_meeting_place_is_refused(tmp_path: Path) -> None:
    done = launched(tmp_path, PLAN)
    assert done.returncode != 0
    assert "RDZV_ENDPOINT: set it to HOST:PORT of one of the hosts" in done.stderr
