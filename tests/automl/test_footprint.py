"""What trials leave on the disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl._footprint import MLFLOW_BYTES, store_bytes, tracker_bytes
from storage import open_store
from tests.evaluators.small_data import mlp
from tests.storage.samples import begin, evaluation, finish_next, record

TRIALS = [(mlp(), evaluation()), (mlp(32), evaluation(0.8))]


def test_a_trial_takes_what_it_takes_in_a_real_store(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'a.db'}")
    store.create_study(record())
    begin(store, 300)
    finish_next(store, 300)
    store.close()
    assert store_bytes(TRIALS) == pytest.approx((tmp_path / "a.db").stat().st_size / 300, rel=0.7)


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        (None, 0.0),
        ({"name": "mlflow"}, MLFLOW_BYTES),
        ({"name": "mlflow", "uri": "https://host"}, None),
        ({"name": "other"}, None),
    ],
)
def test_a_tracker_elsewhere_leaves_nothing_here(spec: dict[str, str] | None, expected: float | None) -> None:
    assert tracker_bytes(spec, TRIALS) == expected


def test_a_line_of_json_is_measured() -> None:
    assert 100 < (tracker_bytes({"name": "jsonl", "path": "x"}, TRIALS) or 0) < 5000
