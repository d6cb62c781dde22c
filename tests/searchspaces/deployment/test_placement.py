"""Loads are kept a device: nothing is lost, and the heaviest counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from searchspaces import SpaceError
from searchspaces.deployment import RankingModel, Table, placed
from tests.searchspaces.deployment.models import LARGE, MODEL, SMALL, plan


@pytest.mark.parametrize("sharding", ["table", "column_2", "column_8", "row", "table_row", "grid"])
def test_a_group_holds_each_table_once(sharding: str) -> None:
    for groups in (1, 2):
        found = placed(MODEL, replace(plan(sharding, sharding, hosts=4), groups=groups))
        assert found.weights.sum() == pytest.approx(SMALL.weights + LARGE.weights)
        assert found.weights.shape == (32 // groups,)


def test_a_data_parallel_table_stands_on_every_device() -> None:
    found = placed(MODEL, plan("data", "row"))
    assert np.array_equal(found.weights, np.full(8, SMALL.weights + LARGE.weights / 8))
    assert found.replicated == SMALL.weights


def test_a_whole_table_looks_up_for_its_whole_group() -> None:
    model = RankingModel((LARGE,), 1, 1)
    found = placed(model, plan("table"))
    alone = 8_192 * (10 * (128 * 4 + 8) + 128 * 2)  # rows and indices of ten ids, and one output, an example
    assert sorted(found.lookup_bytes) == [0.0] * 7 + [alone]
    assert sorted(found.sent) == [0.0] * 7 + [8_192 * 128]


def test_rows_spread_lookups_but_leave_every_device_a_part_of_all_sums() -> None:
    found = placed(RankingModel((LARGE,), 1, 1), plan("row"))
    assert np.ptp(found.lookup_bytes) == 0.0
    assert found.partial == 8_192 * 128
    assert found.sent.max() == 0.0


def test_a_column_split_of_the_hottest_table_lowers_the_fullest_devices_load() -> None:
    tables = (Table("hot", 1_000_000, 512, 50.0), *(Table(f"c{at}", 100_000, 128, 1.0) for at in range(7)))
    model = RankingModel(tables, 1, 1)
    whole, split = (placed(model, plan(how, *["table"] * 7)) for how in ("table", "column_4"))
    assert split.lookup_bytes.max() < 0.5 * whole.lookup_bytes.max()


def test_heavy_shards_are_placed_first_and_apart() -> None:
    model = RankingModel((Table("hot", 1_000, 128, 9.0, count=8), Table("cold", 1_000, 128, 1.0, count=8)), 1, 1)
    loads = placed(model, plan("table", "table")).lookup_bytes
    assert np.ptp(loads) == pytest.approx(0.0)


def test_rows_within_a_host_load_the_devices_of_one_host() -> None:
    found = placed(RankingModel((LARGE,), 1, 1), plan("table_row", hosts=2))
    assert np.count_nonzero(found.weights) == 8
    assert sorted(found.host_partial) == [0.0, 8_192 * 128]


def test_short_rows_take_longer_a_byte() -> None:
    def bytes_of(dim: int) -> float:
        return float(placed(RankingModel((Table("t", 9, dim, 1e6),), 1, 1), plan("row")).lookup_bytes[0])

    assert bytes_of(32) / bytes_of(128) == pytest.approx(1.75 * (32 * 4 + 8) / (128 * 4 + 8), rel=1e-3)


def test_a_table_of_no_rows_is_refused() -> None:
    with pytest.raises(SpaceError, match="'rows' of a table must be above 0, but of 'x' it is 0"):
        Table("x", 0, 8)


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(SpaceError, match="each of a name of its own"):
        RankingModel((SMALL, SMALL), 1, 1)
