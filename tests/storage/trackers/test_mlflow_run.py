"""Studies in a real MLflow on SQLite; its tables are made once for all tests."""

from __future__ import annotations

import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evaluators import Trial
from storage import StudyReading, Summary, TrackerError
from storage.stores.memory import MemoryStore
from storage.trackers import _mlflow_connection as connection
from storage.trackers.mlflow_run import MlflowRun, experiments, trial_uids
from tests.storage.samples import CRASH, architecture, begin, evaluation, record

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow") / "mlflow.db"


@pytest.fixture
def client(file: Path) -> MlflowClient:
    return connection.connect(f"sqlite:///{file}")


@pytest.fixture
def study(request: pytest.FixtureRequest) -> str:
    """A study of its own for each test."""
    name: str = request.node.name
    return name


@pytest.fixture
def tracker(file: Path, study: str) -> Iterator[MlflowRun]:
    made = MlflowRun(f"sqlite:///{file}", experiment=study)
    made.open(record(study))
    yield made
    made.close()


@pytest.fixture
def trials() -> list[Trial]:
    store = MemoryStore()
    store.create_study(record("any"))
    begin(store, 3, study="any")
    store.claim("any", worker="w", limit=3, lease_seconds=60)
    return store.finish("any", [(0, evaluation(0.8)), (1, evaluation(0.9, stopped_at=512)), (2, CRASH)])


def _runs(client: MlflowClient, study: str) -> tuple[Run, list[Run]]:
    """The study's run and those of its trials, by number."""
    found = client.get_experiment_by_name(study)
    assert found is not None
    runs = client.search_runs([found.experiment_id])
    children = [run for run in runs if "trial.uid" in run.data.tags]
    (parent,) = [run for run in runs if "trial.uid" not in run.data.tags]
    assert {run.data.tags["mlflow.parentRunId"] for run in children} <= {parent.info.run_id}
    return parent, sorted(children, key=lambda run: int(run.data.tags["trial.number"]))


def _artifact(run: Run, name: str) -> Path:
    return Path(run.info.artifact_uri.removeprefix("file://")) / name


def test_an_experiment_says_how_to_read_it(client: MlflowClient, tracker: MlflowRun, study: str, file: Path) -> None:
    found = client.get_experiment_by_name(study)
    assert found is not None
    assert found.tags["mlflow.experimentKind"] == "custom_model_development"
    assert "The architecture is the artifact `architecture.json`" in found.tags["mlflow.note.content"]
    assert found.artifact_location.startswith(f"file://{file.parent}/mlruns/")


def test_a_study_is_a_running_parent_with_its_settings(client: MlflowClient, tracker: MlflowRun, study: str) -> None:
    parent, _ = _runs(client, study)
    assert (parent.info.status, parent.info.run_name, parent.info.start_time) == ("RUNNING", study, 900_000)
    assert parent.data.params["searcher.name"] == "autoctr"
    assert parent.data.params["data.digest"] == "sha256:abc"
    assert parent.data.tags["study.uid"] == record(study).uid
    assert parent.inputs
    assert [one.dataset.digest for one in parent.inputs.dataset_inputs] == ["abc"]


def test_a_trial_is_a_child_with_metrics_params_and_architecture(
    client: MlflowClient, tracker: MlflowRun, study: str, trials: list[Trial]
) -> None:
    tracker.log(trials, {})
    _, children = _runs(client, study)
    assert [run.info.status for run in children] == ["FINISHED", "KILLED", "FAILED"]
    first, _, failed = children
    assert (first.data.metrics["val/ne"], first.data.metrics["cost/flops"]) == (0.8, 2e6)
    assert (first.data.params["arch.nodes"], first.data.params["training.lr"]) == ("5", "0.01")
    assert failed.data.tags["failure.kind"] == "out_of_memory"
    assert (failed.data.tags["study.name"], failed.info.run_name) == (study, "trial 2")
    assert json.loads(_artifact(first, "architecture.json").read_text()) == architecture(16).to_dict()


def test_a_trial_keeps_its_own_times(client: MlflowClient, tracker: MlflowRun, study: str, trials: list[Trial]) -> None:
    tracker.log([replace(trials[0], started_at=1000.5, finished_at=1003.25)], {})
    tracker.log([replace(trials[1], started_at=None, finished_at=1003.25)], {})
    _, children = _runs(client, study)
    assert [(run.info.start_time, run.info.end_time) for run in children] == [
        (1_000_500, 1_003_250),
        (1_001_750, 1_003_250),
    ]


def test_a_learning_curve_is_a_history_over_rows(
    client: MlflowClient, tracker: MlflowRun, study: str, trials: list[Trial]
) -> None:
    tracker.log(trials[:1], {})
    _, (run,) = _runs(client, study)
    history = client.get_metric_history(run.info.run_id, "train/loss")
    assert [(point.step, point.value) for point in history] == [(512, 0.7), (1024, 0.6)]


def test_a_half_written_run_is_completed_rather_than_doubled(
    client: MlflowClient, tracker: MlflowRun, study: str, trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(*arguments: object) -> None:
        raise OSError("disk full")

    with monkeypatch.context() as patch:
        patch.setattr(connection, "write_artifact", crash)
        with pytest.raises(OSError, match="disk full"):
            tracker.log(trials, {})
    tracker.log(trials, {})
    _, children = _runs(client, study)
    assert [run.info.status for run in children] == ["FINISHED", "KILLED", "FAILED"]
    assert len(client.get_metric_history(children[0].info.run_id, "val/ne")) == 1
    assert _artifact(children[0], "architecture.json").exists()


def test_a_lost_cursor_doubles_nothing(file: Path, tracker: MlflowRun, study: str, trials: list[Trial]) -> None:
    tracker.log(trials, {})
    again = MlflowRun(f"sqlite:///{file}", experiment=study)
    again.open(record(study))
    for trial in trials:
        again.log([trial], {})
    assert len(trial_uids(f"sqlite:///{file}", study)) == 3


def test_numbers_of_the_study_run_over_its_ended_trials_and_come_once(
    client: MlflowClient, file: Path, tracker: MlflowRun, study: str
) -> None:
    readings = [StudyReading("best/ne", 0.8, 1, 1000.0), StudyReading("best/ne", 0.7, 4, 1003.0)]
    tracker.update(readings[:1], {})
    again = MlflowRun(f"sqlite:///{file}", experiment=study)
    again.open(record(study))
    again.update([*readings, StudyReading("front/hypervolume", float("inf"), 4, 1003.0)], {})
    parent, _ = _runs(client, study)
    history = client.get_metric_history(parent.info.run_id, "best/ne")
    assert [(point.step, point.timestamp, point.value) for point in history] == [
        (1, 1_000_000, 0.8),
        (4, 1_003_000, 0.7),
    ]
    assert "front/hypervolume" not in parent.data.metrics


def test_the_front_is_found_by_its_rank_as_ranks_change(
    client: MlflowClient, file: Path, tracker: MlflowRun, study: str, trials: list[Trial]
) -> None:
    found = client.get_experiment_by_name(study)
    assert found is not None

    def front() -> list[str]:
        runs = client.search_runs([found.experiment_id], "tags.pareto.rank = '1'")
        return sorted(run.data.tags["trial.number"] for run in runs)

    tracker.log(trials, {0: {"pareto.rank": "1"}, 1: {"pareto.rank": "2"}})
    assert front() == ["0"]
    again = MlflowRun(f"sqlite:///{file}", experiment=study)
    again.open(record(study))
    again.update([], {0: {"pareto.rank": "2"}, 1: {"pareto.rank": "1"}, 99: {"pareto.rank": "1"}})
    assert front() == ["1"]


def test_a_study_ends_with_its_files_when_its_last_trial_ended(
    client: MlflowClient, tracker: MlflowRun, study: str, trials: list[Trial], tmp_path: Path
) -> None:
    tracker.log(trials, {})
    (tmp_path / "report.html").write_text("<p>done</p>")
    tracker.summarize(Summary("KILLED", 1003.25, (tmp_path / "report.html",)))
    parent, _ = _runs(client, study)
    assert (parent.info.status, parent.info.end_time) == ("KILLED", 1_003_250)
    assert _artifact(parent, "report.html").read_text() == "<p>done</p>"


def test_a_resumed_study_runs_again_and_shows_its_new_budget(
    client: MlflowClient, file: Path, tracker: MlflowRun, study: str
) -> None:
    tracker.summarize(Summary("FINISHED", 1000.0))
    larger = replace(record(study), config={"budget": {"trials": 140}, "notes": "more"})
    entry = MlflowRun(f"sqlite:///{file}", experiment=study).open(larger)
    parent, _ = _runs(client, study)
    assert entry == f"mlflow:sqlite:///{file}#{study}/{parent.info.run_id}"
    assert (parent.info.status, parent.data.params["budget.trials"]) == ("RUNNING", "100")
    assert (parent.data.tags["resumed.budget.trials"], parent.data.params["notes"]) == ("140", "more")


def test_the_problem_names_the_experiment(client: MlflowClient, file: Path) -> None:
    MlflowRun(f"sqlite:///{file}").open(record("first"))
    MlflowRun(f"sqlite:///{file}").open(record("second"))
    found = client.get_experiment_by_name("movielens: ne, flops")
    assert found is not None
    assert len(client.search_runs([found.experiment_id])) == 2
    assert experiments(f"sqlite:///{file}", study="first") == {"movielens: ne, flops": found.experiment_id}
    assert experiments(f"sqlite:///{file}")["movielens: ne, flops"] == found.experiment_id


def test_a_deleted_experiment_is_an_error_with_the_way_out(client: MlflowClient, file: Path, study: str) -> None:
    number = client.create_experiment(study)
    client.delete_experiment(number)
    reason = f"experiment {study!r} was deleted in MLflow; restore it with 'mlflow experiments restore --experiment-id"
    with pytest.raises(TrackerError, match=re.escape(reason)):
        MlflowRun(f"sqlite:///{file}", experiment=study).open(record(study))


def test_an_active_run_elsewhere_changes_nothing(
    client: MlflowClient, file: Path, study: str, trials: list[Trial], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "0" * 32)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{file}")
    monkeypatch.setenv("MLFLOW_EXPERIMENT_NAME", study)
    tracker = MlflowRun()
    assert tracker.name == f"mlflow:sqlite:///{file}#{study}"
    tracker.open(record(study))
    tracker.log(trials[:1], {})
    _, children = _runs(client, study)
    assert [run.data.tags["trial.number"] for run in children] == ["0"]
    assert os.environ["MLFLOW_RUN_ID"] == "0" * 32


def test_the_file_has_a_write_ahead_log(file: Path, tracker: MlflowRun) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_nothing_is_written_to_the_terminal(file: Path, tmp_path: Path) -> None:
    code = (
        "import sys, logging; logging.basicConfig()\n"
        "from storage import StudyRecord; from storage.trackers.mlflow_run import MlflowRun\n"
        "MlflowRun(sys.argv[1]).open(StudyRecord('u', 'n', 1, 'p', {}, 0.0))"
    )
    command = [sys.executable, "-c", code, f"sqlite:///{tmp_path / 'new.db'}"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("", "")
