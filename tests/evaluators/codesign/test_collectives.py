"""Collectives against their closed forms."""

from __future__ import annotations

import pytest

from evaluators._codesign.collectives import Ring

RING = Ring(within=8, hosts=4, within_bytes_per_second=400.0, between_bytes_per_second=50.0)
HOST = Ring(within=8, hosts=1, within_bytes_per_second=400.0, between_bytes_per_second=50.0)


def test_all_to_all_takes_the_slower_level() -> None:
    assert RING.all_to_all_seconds(3200.0) == pytest.approx(3200 * 24 / 32 / 50)
    assert HOST.all_to_all_seconds(3200.0) == pytest.approx(3200 * 7 / 8 / 400)


def test_all_reduce_goes_through_both_levels() -> None:
    assert RING.all_reduce_seconds(800.0) == pytest.approx(2 * 7 / 8 * 800 / 400 + 2 * 3 / 4 * 100 / 50)


def test_latencies_count_messages() -> None:
    assert RING.all_to_all_latency == pytest.approx(7 * 0.5e-6 + 3 * 2e-6)
    assert RING.all_reduce_latency == pytest.approx(2 * (3 * 0.5e-6 + 2 * 2e-6))
    assert RING.ring_latency == pytest.approx(31 * 2e-6)
    assert HOST.ring_latency == pytest.approx(7 * 0.5e-6)


def test_one_device_alone_exchanges_nothing() -> None:
    alone = Ring(1, 1, 400.0, 50.0)
    assert alone.all_to_all_seconds(1e9) == alone.all_reduce_seconds(1e9) == 0.0
    assert alone.all_to_all_latency == alone.all_reduce_latency == alone.ring_latency == 0.0
