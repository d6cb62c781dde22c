"""The space of training systems: rules between knobs, room in memory, and what is said where neither can be had."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from searchspaces import Candidate, CandidateError, Options, SpaceError
from searchspaces.deployment import memory_of
from searchspaces.spaces.codesign import Codesign
from tests.searchspaces.graphs import schema

FIELDS = schema(numeric=1, categorical=1, vocabulary=5)
MODEL = {
    "tables": [
        {"name": "large", "rows": 100_000_000, "dim": 128, "hotness": 10.0},
        {"name": "small", "rows": 1_000, "dim": 16},
    ],
    "dense": {"macs": 1_000_000},
    "numeric": 4,
}
CLUSTER = {"device": ["A100", "H100"], "hosts": [1, 2, 4], "devices_per_host": [8]}


def space(cluster: Mapping[str, Any] = CLUSTER, model: Any = MODEL, **knobs: Any) -> Codesign:
    return Codesign(FIELDS, model=model, cluster=cluster, knobs=knobs)


def decoded(changed: Mapping[str, Any], where: Codesign | None = None) -> Options:
    """Settings of the first choice of each slot, but for those that are changed."""
    made = where or space()
    usual = {decision.slot: decision.choices[0] for decision in made.decisions()}
    return made.to_candidate({**usual, **changed}).system


def test_a_plan_has_every_knob_of_its_candidate() -> None:
    made = space()
    found = decoded({"hosts": 2, "groups": 2, "sync_interval": 16, "sharding.small": "column_2", "dense": "hsdp"}, made)
    plan = made.plan(Candidate(None, system=found))
    assert (plan.cluster.devices, plan.groups, plan.sync_interval, plan.dense) == (16, 2, 16, "hsdp")
    assert plan.sharding[1] == "column_2"


def test_knobs_that_do_not_count_are_left_out() -> None:
    assert not {"sync_interval", "compression", "cache_ratio"} & set(decoded({}))
    found = decoded({"hosts": 4, "groups": 2, "towers": 2, "tier": "cached"})
    assert {"sync_interval", "compression", "cache_ratio"} <= set(found)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"hosts": 1, "dense": "hsdp"}, {"dense": "grad_op"}),
        ({"hosts": 1, "towers": 4}, {"towers": 1}),
        ({"hosts": 4, "groups": 2, "towers": 4}, {"towers": 2}),
        ({"device": "A100", "compute_dtype": "fp8"}, {"compute_dtype": "bf16"}),
        ({"hosts": 1, "groups": 2, "sharding.small": "column_4"}, {"sharding.small": "column_4"}),
        ({"hosts": 1, "groups": 8, "sharding.small": "column_4"}, {"groups": 8, "sharding.small": "row"}),
    ],
    ids=str,
)
def test_what_contradicts_itself_becomes_the_nearest_that_does_not(
    changed: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = decoded({"tier": "host", **changed})
    assert {name: found[name] for name in expected} == expected


def test_a_candidate_that_contradicts_itself_is_told_the_pair() -> None:
    settings = {**decoded({"hosts": 4, "groups": 4}), "towers": 2, "compression": 1}
    with pytest.raises(CandidateError, match="towers=2 and groups=4 contradict each other: the hosts of a group"):
        space().validate(Candidate(None, system=Options(settings)))


def test_a_setting_that_is_no_knob_is_told() -> None:
    with pytest.raises(CandidateError, match="no knob 'speed' in this space"):
        space().validate(Candidate(None, system=Options({**decoded({}), "speed": 1})))


def test_no_candidate_is_a_sure_failure() -> None:
    made, rng = space(), np.random.default_rng(3)
    plans = [made.plan(made.sample(rng)) for _ in range(200)]
    assert all(memory_of(made.model, plan).fits for plan in plans)


def test_a_copy_that_does_not_fit_is_spread_and_the_rest_left_alone() -> None:
    found = decoded({"sharding.large": "data", "sharding.small": "data"})
    assert (found["sharding.large"], found["sharding.small"]) == ("row", "data")
    assert decoded({"sharding.large": "table_row"})["sharding.large"] == "table_row"


def test_knobs_that_can_change_what_is_learned_are_told() -> None:
    made = space()
    risks = set(made.risks(Candidate(None, system=decoded({"hosts": 2, "groups": 2}, made))))
    assert {"global_batch", "groups", "sync_interval", "compute_dtype", "table_dtype"} <= risks
    assert not {"hosts", "dense", "tier", "prefetch", "compiled", "accumulation", "sharding.large"} & risks


@pytest.mark.parametrize(
    ("cluster", "knobs", "reason"),
    [
        (
            {"device": "A100"},
            {"compute_dtype": "fp8"},
            "compute_dtype='fp8' and device='A100' contradict each other: only newer devices compute in fp8",
        ),
        ({"hosts": 3}, {}, "global_batch=8192 and hosts=3 contradict each other: each device has the same number"),
        ({"hosts": 1}, {"dense": "hsdp"}, "dense='hsdp' and hosts=1 contradict each other: sharding within hosts"),
        ({"hosts": 1}, {"groups": [3]}, "groups=3 and hosts=1 contradict each other: groups are of whole hosts"),
        ({"hosts": 2}, {"groups": 2, "towers": 2}, "towers=2 and groups=2 contradict each other"),
        (
            {"hosts": 1},
            {"accumulation": [3]},
            "accumulation=3 and global_batch=8192 contradict each other: each micro-batch",
        ),
        ({}, {"sharding": "column_8"}, r"sharding=\['column_8'\] and dim=16 of table 'small' contradict each other"),
        (
            {"hosts": 1},
            {"groups": [8], "sharding": ["column_2"]},
            "sharding.large='column_2' and groups=8 contradict each other: each slice of columns",
        ),
    ],
)
def test_knobs_that_contradict_each_other_whatever_is_chosen_are_told(
    cluster: dict[str, Any], knobs: dict[str, Any], reason: str
) -> None:
    with pytest.raises(SpaceError, match=reason):
        space(cluster, **knobs)


def too_small(cluster: Mapping[str, Any], **knobs: Any) -> str:
    with pytest.raises(SpaceError, match="no plan of this space fits: the tables take") as caught:
        space(cluster, **knobs)
    return str(caught.value).partition("the smallest change that would fit: ")[2]


def test_a_cluster_that_cannot_hold_the_tables_says_what_would() -> None:
    """The tables take 51.2 GB in fp32, and a number a row more; an A30 has 20.4 GB beside its reserve."""
    cluster = {"device": "A30", "hosts": 1, "devices_per_host": 2}
    fixed = {"tier": "hbm", "table_dtype": "fp32", "global_batch": 1024}
    assert too_small(cluster, **fixed).startswith("'fp16' among the choices of 'table_dtype'; or 'cached' among")
    halves = {"table_dtype": "fp16", "tier": "hbm", "global_batch": 1024}
    one = {"device": "A30", "hosts": 1, "devices_per_host": 1}
    assert "; or 2 hosts instead of 1; or devices of 31 GB instead of 24 GB" in too_small(one, **halves)


def test_the_hosts_that_are_asked_for_are_enough_and_one_less_is_not() -> None:
    cluster = {"device": "A30", "devices_per_host": 1}
    fixed = {"tier": "hbm", "table_dtype": "fp32", "global_batch": 1024 * 3, "accumulation": 1, "sharding": "row"}
    assert "3 hosts instead of 1" in too_small({**cluster, "hosts": 1}, **fixed)
    assert "3 hosts instead of 2" in too_small({**cluster, "hosts": 2}, **fixed)
    assert space({**cluster, "hosts": 3}, **fixed).decisions()


def test_hosts_that_contradict_the_batch_are_not_asked_for() -> None:
    """Three hosts would hold the tables, but do not share 65,536 examples evenly."""
    cluster = {"device": "A30", "devices_per_host": 1}
    fixed = {"tier": "hbm", "table_dtype": "fp32", "global_batch": 65_536, "accumulation": 4, "sharding": "row"}
    model = {"tables": [{"rows": 90_000_000, "dim": 128}], "dense": {"macs": 1_000}}
    with pytest.raises(SpaceError, match="; or 4 hosts instead of 1; or devices of"):
        space({**cluster, "hosts": 1}, model, **fixed)
    assert space({**cluster, "hosts": 4}, model, **fixed).decisions()


def test_no_number_of_hosts_is_asked_for_where_the_batch_allows_none() -> None:
    cluster = {"device": "A30", "hosts": 1, "devices_per_host": 1}
    changes = too_small(cluster, tier="hbm", table_dtype="fp32", global_batch=1, sharding="row", accumulation=1)
    assert "hosts instead" not in changes
    assert "; or devices of" in changes


def test_a_plan_that_fits_but_contradicts_itself_is_no_room() -> None:
    """Eight slices would leave 32 GB on each of four devices, but each slice must be on one of its own."""
    model = {"tables": [{"name": "one", "rows": 500_000_000, "dim": 128}], "dense": {"macs": 1_000}}
    cluster = {"device": "A100", "hosts": 1, "devices_per_host": 4}
    fixed = {"tier": "hbm", "table_dtype": "fp16", "global_batch": 1024}
    with pytest.raises(SpaceError, match="no plan of this space fits: the tables take 128"):
        space(cluster, model, sharding=["column_8", "table"], **fixed)
    found = decoded({}, space(cluster, model, sharding=["column_8", "table", "column_4"], **fixed))
    assert found["sharding.one"] == "column_4"


def test_a_way_to_spread_may_be_what_is_missing() -> None:
    changes = too_small({"hosts": 1}, sharding="data", tier="hbm", table_dtype="fp32")
    assert changes.startswith("'fp16' among the choices of 'table_dtype'; or 'row' among the choices of 'sharding'")


@pytest.mark.parametrize(
    ("cluster", "model", "reason"),
    [
        ({"device": "H1000"}, MODEL, "device: no 'H1000'; did you mean 'H100'"),
        ({"hosts": [2, 1]}, MODEL, r"hosts: must be ascending whole numbers from 1 on, but is \[2, 1\]"),
        ({"gpus": 8}, MODEL, "cluster has no 'gpus'"),
        ({"devices": {"mine": {"teraflops": 1}}}, MODEL, "a new device tells all of teraflops, memory_gigabytes"),
        ({"devices": {"H100": {"teraflops": "fast"}}}, MODEL, "teraflops must be a number, but is 'fast'"),
        ({"devices": {"H100": {"teraflops": 0}}}, MODEL, "'teraflops' of a device must be above 0"),
        ({}, {"tables": []}, r"tables: must be a list of at least one table, but is \[\]"),
        ({}, {"tables": [{"rows": 5}]}, "tables.0: dim must be a whole number from 1 on, but is None"),
        ({}, {"tables": [{"rows": 5, "dim": 4, "hot": 2}]}, "tables.0: a table has no 'hot'; did you mean"),
        ({}, {"tables": [{"rows": 5, "dim": 4}], "dense": {"macs": 1.5}}, "dense.macs: must be a whole number"),
        ({}, {"tables": [{"rows": 5, "dim": 4, "hotness": 0}]}, "hotness must be a number above 0, but is 0"),
    ],
)
def test_a_wrong_description_is_told(cluster: dict[str, Any], model: dict[str, Any], reason: str) -> None:
    with pytest.raises(SpaceError, match=reason):
        space(cluster, model)


@pytest.mark.parametrize(
    ("knobs", "reason"),
    [
        ({"global_bach": [1]}, "no knob 'global_bach'; did you mean 'global_batch'"),
        ({"dense": "dpp"}, "dense: has no 'dpp'; did you mean 'ddp'"),
        ({"groups": [2, 1]}, r"groups: must be ascending whole numbers from 1 on, but is \[2, 1\]"),
        ({"cache_ratio": [2.0]}, "cache_ratio: must be a share between 0 and 1, but has 2.0"),
        ({"tier": []}, r"tier: needs choices that differ, but has \[\]"),
        ({"sharding": ["even"]}, "sharding: has no 'even'"),
    ],
)
def test_a_wrong_knob_is_told(knobs: dict[str, Any], reason: str) -> None:
    with pytest.raises(SpaceError, match=reason):
        space(**knobs)


def test_tables_that_are_alike_share_a_decision() -> None:
    model = {"tables": [{"name": "each", "rows": 1_000, "dim": 16, "count": 50}]}
    slots = [decision.slot for decision in space(model=model).decisions()]
    assert [slot for slot in slots if slot.startswith("sharding.")] == ["sharding.each"]


def test_a_file_that_is_no_winner_is_told(tmp_path: Path) -> None:
    file = tmp_path / "model.yaml"
    file.write_text("tables: []", encoding="utf-8")
    with pytest.raises(SpaceError, match=r"as 'automl export' writes it, but .* is none; or describe its tables"):
        space(model=str(file))
    with pytest.raises(SpaceError, match="cannot be read"):
        space(model=str(tmp_path / "absent.yaml"))
