"""What a device must hold, against sums by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from searchspaces.deployment import RankingModel, memory_of
from tests.searchspaces.deployment.models import LARGE, MODEL, plan

ONE = RankingModel((LARGE,), 0, 0)


def test_tables_take_their_numbers_and_one_more_a_row() -> None:
    assert memory_of(ONE, plan("row")).tables == 1_000_000 * (128 * 4 + 4) / 8
    halved = replace(plan("row"), table_dtype="fp16")
    assert memory_of(ONE, halved).tables == 1_000_000 * (128 * 2 + 4) / 8


def test_a_copy_has_its_gradients_beside_it() -> None:
    assert memory_of(ONE, plan("data")).tables == 1_000_000 * (128 * (4 + 4) + 4)


def test_groups_hold_more_of_each_table_and_exchange_less() -> None:
    one, four = (memory_of(ONE, replace(plan("row", hosts=4), groups=groups)) for groups in (1, 4))
    assert four.tables == 4 * one.tables
    assert four.exchanged < 0.3 * one.exchanged


def test_a_cache_holds_its_share_and_the_hosts_memory_the_rest() -> None:
    whole, cached, away = (memory_of(ONE, replace(plan("row"), tier=tier)) for tier in ("hbm", "cached", "host"))
    assert cached.tables == pytest.approx(0.2 * whole.tables)
    assert away.tables == 0.0


@pytest.mark.parametrize(
    ("strategy", "number_bytes"),
    [("ddp", 16), ("grad_op", 4 + 12 / 16), ("hsdp", 16 / 8), ("fsdp", 16 / 16)],
)
def test_the_dense_part_is_kept_by_its_strategy(strategy: str, number_bytes: float) -> None:
    found = memory_of(MODEL, replace(plan(hosts=2), dense=strategy))
    assert found.dense == 500_000 * number_bytes


def test_inputs_in_flight_are_counted() -> None:
    inputs = [memory_of(MODEL, replace(plan(), prefetch=prefetch)).inputs for prefetch in (0, 1, 2)]
    assert inputs == [1_024 * (12 * 8 + 4 * 4) * times for times in (1, 2, 3)]


def test_a_plan_fits_while_a_reserve_stays_free() -> None:
    found = memory_of(ONE, plan("row"))
    assert found.fits
    assert replace(found, tables=0.86 * found.capacity).fits is False
    assert replace(found, tables=0.84 * found.capacity, exchanged=0.0, activations=0.0, inputs=0.0).fits
