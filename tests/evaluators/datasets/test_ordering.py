"""Rows on disk come into time order, however little fits in memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluators._datasets import ordering
from evaluators._datasets.ordering import in_time_order, is_ordered
from evaluators._datasets.stored import Appended, Stored

KIND = np.dtype([("time", np.float64), ("row", np.int64)])


def written(path: Path, times: list[float]) -> Stored:
    records = np.empty(len(times), KIND)
    records["time"], records["row"] = times, np.arange(len(times))
    with Appended(path, KIND) as file:
        file.append(records)
        return file.stored()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.sampled_from([-1.5, 0.0, 1.0, 2.0, 1e12]) | st.floats(-5, 5), max_size=120))
def test_the_order_is_stable_and_nothing_is_lost(tmp_path: Path, times: list[float]) -> None:
    for limit in (16 * 8, 1 << 20):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(ordering, "LIMIT_BYTES", limit)
            blocks = list(in_time_order(written(tmp_path / "rows", times), tmp_path))
        found = np.concatenate(blocks) if blocks else np.empty(0, KIND)
        np.testing.assert_array_equal(found["row"], np.argsort(np.array(times, np.float64), kind="stable"))


def test_what_was_dealt_out_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "LIMIT_BYTES", 200)
    times = np.random.default_rng(0).normal(size=1000).tolist()
    assert sum(len(block) for block in in_time_order(written(tmp_path / "rows", times), tmp_path)) == 1000
    assert [path.name for path in tmp_path.iterdir()] == ["rows"]


@pytest.mark.parametrize(("times", "expected"), [([1, 1, 2], True), ([1, 3, 2], False), ([], True)])
def test_order_is_recognised_across_blocks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, times: list[float], expected: bool
) -> None:
    monkeypatch.setattr("evaluators._datasets.stored.BLOCK_BYTES", 8)
    with Appended(tmp_path / "time", np.float64) as file:
        file.append(np.array(times, np.float64))
        assert is_ordered(file.stored()) is expected
