"""A supernet's order is compared with a table's, part by part, and nothing is trained twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl._errors import AutomlError
from automl.bench.supernet import benchmark, scores
from automl.bench.supernet.benchmark import supernet
from automl.bench.supernet.plan import Ground, Plan
from automl.bench.supernet.variants import ALL_ON, VARIANTS
from automl.bench.table.benchmark import table
from automl.bench.table.plan import Plan as TablePlan
from evaluators._datasets import open_dataset
from evaluators.planted import Planted
from tests.evaluators.small_data import write_small_data
from tests.evaluators.small_tables import SOURCE, SPACE


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("supernet")
    write_small_data(folder / "data", rows=400)
    trained = TablePlan(SPACE, str(folder / "data"), folder / "table", count=8, truth_top=0, cohort=4)
    table(trained, evaluator=Planted(SOURCE, 1, noise=0.002))
    found = Plan(folder / "table", str(folder / "data"), folder / "kept", rows=128, batch_size=32)
    return replace(found, window=20, calibration_rows=50)


def test_every_variant_has_its_tau_and_a_second_run_trains_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    found = supernet(plan)
    assert [row["variant"] for row in found["variants"]] == [one.name for one in VARIANTS]
    assert found["candidates"] == 8
    for row in found["variants"]:
        assert -1.0 <= row["interval"][0] <= row["tau"] <= row["interval"][1] <= 1.0
    assert found["variants"][0]["tau_less_than_all_on"] == [0.0, 0.0]
    assert [(one["supernet"], one["steps"]) for one in found["costs"]] == [
        (name, 4) for name in ("cold-0", "cold-1", "warm-0", "warm-1")
    ]
    assert list(plan.folder.rglob("*.safetensors")) == []  # of no more use, and gigabytes
    monkeypatch.setattr(scores, "_trained", None)
    assert supernet(plan)["variants"] == found["variants"]


def test_a_kill_loses_one_candidate(plan: Plan) -> None:
    found, file = supernet(plan)["variants"], plan.folder / "warm-1" / "scores.jsonl"
    whole = file.read_text()
    file.write_text(whole[: len(whole) * 2 // 3])
    assert supernet(plan)["variants"] == found
    assert file.read_text() == whole


def test_a_folder_of_another_plan_is_refused(plan: Plan) -> None:
    supernet(plan)
    with pytest.raises(AutomlError, match=r"has another rows; choose a new folder"):
        supernet(replace(plan, rows=64))


def test_data_of_another_table_is_refused(plan: Plan, tmp_path: Path) -> None:
    write_small_data(tmp_path / "other", rows=300)
    with pytest.raises(AutomlError, match="a table's candidates are scored on the data that they were trained on"):
        supernet(replace(plan, data=str(tmp_path / "other")))


def test_windows_need_validation_rows(plan: Plan, tmp_path: Path) -> None:
    with pytest.raises(AutomlError, match="need at least 2 windows of 10000 rows"):
        supernet(replace(plan, window=10_000, folder=tmp_path))


def test_an_order_that_is_the_tables_own_has_its_ceiling_as_tau() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(size=200)
    losses = {ALL_ON: [[one, one] for one in true], "noise": rng.normal(size=(200, 2)).tolist()}
    same, noise = benchmark._compared(losses, [[one, one] for one in true], seed=1)
    assert (same["tau"], same["ceiling"], same["share"]) == (1.0, 1.0, 1.0)
    assert abs(noise["tau"]) < 0.15
    assert noise["tau_less_than_all_on"][0] > 0.7


def test_without_rows_a_supernet_passes_once_over_what_is_not_held_out(plan: Plan) -> None:
    dataset = open_dataset(plan.data)
    once = Ground(replace(plan, rows=None), dataset, SOURCE, ())
    assert once.training_rows == len(once.rows()[0])
