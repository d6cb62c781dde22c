"""The benchmark on generated data: it counts, goes on where it stopped, and keeps plans apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl._errors import AutomlError
from automl.bench.reliability import benchmark as module
from automl.bench.reliability.benchmark import Plan, reliability
from automl.bench.reliability.labels import DEFAULT, NAIVE
from automl.validation import prepare


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    place = tmp_path_factory.mktemp("reliability")
    data = prepare("synthetic", out=place / "data", options={"rows": 2000})
    return Plan(str(data.folder), place / "trainings", architectures=4, replicates=2, precision="fp32")


@pytest.mark.slow
def test_labels_are_compared_and_a_second_run_trains_nothing(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    found = reliability(plan)
    assert found["candidates"] == 4
    assert found["diverged"] == []
    assert found["labels"][NAIVE]["worth"] in (1.0, 0.0, None)
    assert found["labels"][DEFAULT]["rows_are_disjoint"]
    low, high = found["labels"][DEFAULT]["interval"]
    assert low <= high

    def train(*arguments: object) -> None:
        raise AssertionError("this training was there already")

    monkeypatch.setattr(module, "train_ours", train)
    monkeypatch.setattr(module, "train_naive", train)
    assert reliability(plan) == found


@pytest.mark.slow
def test_a_training_that_diverged_leaves_its_candidate_out_of_every_label(plan: Plan) -> None:
    reliability(plan)
    bench, _ = module._bench(plan)
    kept = bench.read("naive", 2, 1)
    bench.keep("naive", 2, 1, {})
    assert bench.diverged("naive", 2, 1)
    found = reliability(plan)
    assert found["diverged"] == [2]
    assert found["candidates"] == 3
    assert kept is not None
    bench.keep("naive", 2, 1, kept)


@pytest.mark.slow
def test_a_folder_of_another_plan_is_refused(plan: Plan) -> None:
    reliability(plan)
    with pytest.raises(AutomlError, match="results of one plan"):
        reliability(replace(plan, seed=2))
