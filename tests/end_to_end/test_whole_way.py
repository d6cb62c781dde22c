"""The whole way once, in real processes: prepare, search with MLflow, look, export, train, predict."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from automl._yaml import to_yaml
from evaluators import Trial, TrialState
from tests.end_to_end.looking import trials_of

TRIALS = 4


def _automl(place: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "automl", *arguments]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False, timeout=300)


def _write_config(place: Path, **sections: object) -> None:
    content = {
        "schema_version": 1,
        "study": {"name": "s", "seed": 1},
        "data": "data",
        "searcher": {"name": "random_search"},
        "evaluator": {"name": "train", "rows": 2000, "threads": 1},
        "budget": {"trials": TRIALS},
        "tracker": {"name": "mlflow", "uri": "sqlite:///mlflow.db"},
        "baselines": ["logistic_regression", "deepfm"],
        **sections,
    }
    (place / "study.yaml").write_text(to_yaml(content), encoding="utf-8")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a search has run."""
    folder = tmp_path_factory.mktemp("whole_way")
    from automl.validation import prepare

    prepare("synthetic", out=folder / "data", options={"rows": 4000})
    _write_config(folder)
    done = _automl(folder, "search", "study.yaml")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
def test_trials_have_real_measurements(place: Path) -> None:
    rows = json.loads(_automl(place, "trials", "s", "--format", "json").stdout)
    assert len(rows) == TRIALS
    assert all(0.5 < row["ne"] < 1.5 and 0.3 < row["auc"] < 1.0 for row in rows)
    assert all(row["flops"] == 2 * row["macs"] and row["qps"] > 0 for row in rows)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy is deprecated")  # MLflow's own, on SQLAlchemy 2.1
def test_mlflow_has_a_run_for_every_trial_under_one_parent(place: Path) -> None:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=f"sqlite:///{place / 'mlflow.db'}")
    [experiment] = [one for one in client.search_experiments() if one.name != "Default"]
    runs = client.search_runs([experiment.experiment_id])
    [parent] = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    assert len(children) == TRIALS + 2
    assert parent.info.status == "FINISHED"
    assert {"report.html", "winner.yaml"} <= {
        Path(one.path).name for folder in (None, "report") for one in client.list_artifacts(parent.info.run_id, folder)
    }


@pytest.mark.slow
def test_a_report_opens_without_a_network(place: Path) -> None:
    done = _automl(place, "report", "s", "--out", "report.html")
    text = (place / "report.html").read_text(encoding="utf-8")
    assert done.stdout.strip() == "report.html"
    assert 'src="http' not in text
    assert "deepfm" in text


@pytest.mark.slow
def test_a_winner_trains_again_and_predicts(place: Path) -> None:
    assert _automl(place, "export", "s", "--best", "--to", "config", "--out", "winner.yaml").returncode == 0
    train = ("train", "winner.yaml", "--data", "data", "--seeds", "2", "--out", "w.safetensors", "--format", "json")
    done = _automl(place, *train)
    found = json.loads(done.stdout)
    assert found["spread"]["test_ne"]["sd"] > 0
    scored = _automl(place, "predict", "winner.yaml", "--weights", "w.safetensors", "--data", "data")
    probabilities = np.array([float(row["probability"]) for row in csv.DictReader(scored.stdout.splitlines())])
    labels = np.load(place / "data" / "test" / "label.npy")
    loss = -np.mean(labels * np.log(probabilities) + (1 - labels) * np.log1p(-probabilities))
    assert loss == pytest.approx(found["seeds"][0]["test_logloss"], rel=1e-4)


@pytest.mark.slow
def test_a_killed_search_goes_on_as_if_nothing_had_been(place: Path, tmp_path: Path) -> None:
    _write_config(tmp_path, data=str(place / "data"), tracker=None)
    process = subprocess.Popen(
        [sys.executable, "-m", "automl", "search", "study.yaml"], cwd=tmp_path, stderr=subprocess.DEVNULL
    )
    _wait_for_trials(tmp_path, 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert _automl(tmp_path, "resume", "s").returncode == 0
    assert _results(tmp_path) == _results(place)


@pytest.mark.slow
def test_the_first_interrupt_drains_and_the_study_goes_on(place: Path, tmp_path: Path) -> None:
    _write_config(tmp_path, data=str(place / "data"), tracker=None)
    process = subprocess.Popen(
        [sys.executable, "-m", "automl", "search", "study.yaml"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    _wait_for_trials(tmp_path, 2)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "automl resume s" in told
    assert {trial.state for trial in _trials(tmp_path)} <= {TrialState.COMPLETE, TrialState.WAITING}
    assert _automl(tmp_path, "resume", "s").returncode == 0
    assert _results(tmp_path) == _results(place)


def _wait_for_trials(folder: Path, count: int) -> None:
    ends_at = time.monotonic() + 120
    while time.monotonic() < ends_at:
        if len(_trials(folder)) >= count:
            return
        time.sleep(0.2)
    raise AssertionError(f"no {count} trials within two minutes in {os.listdir(folder)}")


def _trials(folder: Path) -> list[Trial]:
    return trials_of(f"sqlite:///{folder / 'automl.db'}")


def _results(folder: Path) -> list[tuple[object, ...]]:
    return [
        (one.number, one.state, one.candidate.fingerprint, one.value("ne"), one.value("auc")) for one in _trials(folder)
    ]
