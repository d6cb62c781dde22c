"""The model of a cluster against published runs: what is shipped is what the command makes, and it is good enough."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from automl.bench.simulator.fitting import PRIOR, fitted
from automl.bench.simulator.measure import simulator, write_coefficients
from automl.bench.simulator.runs import runs
from automl.bench.simulator.workloads import MULTI_HOT, ONE_HOT, workload
from evaluators._codesign.coefficients import Coefficients, read_coefficients, shipped_coefficients
from searchspaces.deployment import memory_of
from tests.automl.cli_runs import run_cli


@pytest.fixture(scope="module")
def found() -> dict[str, Any]:
    return simulator()


def test_there_are_29_runs_and_each_fits_into_its_devices() -> None:
    assert len(runs()) == 29
    assert [run.system for run in runs() if not memory_of(run.model, run.plan).fits] == []


def test_workloads_have_their_published_sizes() -> None:
    one_hot, multi_hot = workload(ONE_HOT), workload(MULTI_HOT)
    assert multi_hot.dense_macs == pytest.approx(16.03e6, rel=1e-3)
    assert one_hot.dense_macs == pytest.approx(2.4e6, rel=0.03)
    assert multi_hot.lookups == 214
    assert multi_hot.table_weights * 4 == pytest.approx(104.5e9, rel=0.001)


@pytest.mark.slow
def test_the_shipped_coefficients_are_those_of_the_shipped_runs() -> None:
    assert asdict(shipped_coefficients()) == pytest.approx(asdict(fitted(runs())), rel=1e-3)


@pytest.mark.slow
def test_errors_on_unseen_runs_and_rounds_are_small(found: dict[str, Any]) -> None:
    assert found["coefficient_count"] <= 8
    assert found["mape"] <= 0.15
    assert found["spearman"] >= 0.95
    assert found["later_rounds"]["mape"] <= 0.20
    assert found["in_sample_mape"] < found["mape"], "a run that is left out is harder"


@pytest.mark.slow
def test_terms_of_every_row_add_up_to_its_prediction(found: dict[str, Any]) -> None:
    whole = fitted(runs())
    for run, row in zip(runs(), found["rows"], strict=True):
        assert sum(row["milliseconds"].values()) == pytest.approx(1e3 * run.predicted(whole), rel=1e-2)


@pytest.mark.slow
def test_a_file_of_coefficients_is_read_as_it_was_written(found: dict[str, Any], tmp_path: Path) -> None:
    file = tmp_path / "own.json"
    write_coefficients(file, found)
    assert asdict(read_coefficients(file)) == found["coefficients"]
    assert json.loads(file.read_text(encoding="utf-8"))["mape"] == found["mape"]


def test_coefficients_are_found_again_in_steps_that_they_made() -> None:
    planted = Coefficients(dense=3.0, lookups=1.5, all_reduce=2.5, overhead_seconds=2e-4, overlap=0.3)
    made = [replace(run, examples_per_second=run.plan.global_batch / run.predicted(planted)) for run in runs()]
    again = asdict(fitted(made, PRIOR))
    assert again == pytest.approx(asdict(planted), rel=0.1)


@pytest.mark.slow
def test_the_command_gives_its_figures_and_its_coefficients(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, found: dict[str, Any]
) -> None:
    monkeypatch.setattr("automl.bench.simulator.measure.simulator", lambda: found)
    done = run_cli(capsys, "bench", "simulator", "--format", "json", "--coefficients", str(tmp_path / "own.json"))
    assert done.code == 0
    told = json.loads(done.out)
    assert (told["mape"], told["spearman"], told["coefficient_count"]) == (found["mape"], found["spearman"], 5)
    assert asdict(read_coefficients(tmp_path / "own.json")) == told["coefficients"]
    shown = run_cli(capsys, "bench", "simulator").out.splitlines()
    assert shown[0].split() == ["round", "system", "measured", "predicted_left_out", "error"]
    assert len(shown) == 1 + 29
