"""The winner of a study as a version of its problem's registered model."""

from __future__ import annotations

import logging
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from evaluators import Objective, Trial
from storage import Summary, Winner
from storage.stores.memory import MemoryStore
from storage.trackers import _mlflow_connection as connection
from storage.trackers import mlflow_run
from storage.trackers.mlflow_run import MlflowRun
from tests.storage.samples import begin, evaluation, record

if TYPE_CHECKING:
    from mlflow.entities.model_registry import ModelVersion
    from mlflow.tracking import MlflowClient

pytestmark = pytest.mark.slow

MODEL = "ctr-movielens-ne-flops"


@pytest.fixture
def trials() -> list[Trial]:
    store = MemoryStore()
    store.create_study(record("any"))
    begin(store, 2, study="any")
    return store.finish("any", [(0, evaluation(0.8)), (1, evaluation(0.7))])


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take it seconds to make."""
    file = tmp_path_factory.mktemp("mlflow") / "empty.db"
    connection.connect(f"sqlite:///{file}")
    return file


@pytest.fixture
def uri(empty: Path, tmp_path: Path) -> str:
    return f"sqlite:///{shutil.copyfile(empty, tmp_path / 'mlflow.db')}"


def _publish(uri: str, study: str, trial: Trial, ne: float) -> None:
    folder = Path(uri.removeprefix("sqlite:///")).parent
    (folder / "winner.yaml").write_text(f"trial: {trial.number}")
    winner = Winner(trial, Objective("ne"), (folder / "winner.yaml",), {"ne": repr(ne), "gain.ne": "1.5"})
    tracker = MlflowRun(uri)
    tracker.open(record(study))
    tracker.log([trial], {})
    tracker.summarize(Summary("FINISHED", 1000.0, (), winner))
    tracker.close()


def _versions(client: MlflowClient) -> dict[int, ModelVersion]:
    return {int(one.version): one for one in client.search_model_versions(f"name = '{MODEL}'")}


def _aliases(client: MlflowClient) -> dict[str, int]:
    return {alias: int(number) for alias, number in client.get_registered_model(MODEL).aliases.items()}


def test_a_version_comes_with_a_new_winner_alone_and_points_at_its_run(uri: str, trials: list[Trial]) -> None:
    client = connection.connect(uri)
    for trial, ne in ((trials[0], 0.8), (trials[0], 0.8), (trials[1], 0.7), (trials[1], 0.7)):
        _publish(uri, "first", trial, ne)
    versions = _versions(client)
    assert (sorted(versions), _aliases(client)) == ([1, 2], {"winner": 2, "winner-first": 2})
    newest = versions[2]
    assert (newest.tags["ne"], newest.tags["gain.ne"], newest.tags["trial.number"]) == ("0.7", "1.5", "1")
    assert client.get_run(newest.run_id or "").data.tags["trial.uid"] == "uid-first/1"
    assert (Path((newest.source or "").removeprefix("file://")) / "winner.yaml").read_text() == "trial: 1"
    _publish(uri, "first", trials[0], 0.8)
    assert (sorted(_versions(client)), _aliases(client)["winner-first"]) == ([1, 2], 1)


def test_the_best_of_all_studies_is_the_winner_of_the_problem(uri: str, trials: list[Trial]) -> None:
    client = connection.connect(uri)
    _publish(uri, "first", trials[0], 0.8)
    _publish(uri, "worse", trials[0], 0.9)
    assert _aliases(client) == {"winner": 1, "winner-first": 1, "winner-worse": 2}
    _publish(uri, "worse", trials[1], 0.7)
    assert _aliases(client) == {"winner": 3, "winner-first": 1, "winner-worse": 3}


def test_a_registry_that_fails_is_warned_about_and_the_study_ends_all_the_same(
    uri: str, trials: list[Trial], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(*arguments: object) -> None:
        raise PermissionError("no registry at http://ann:secret@host")

    monkeypatch.setattr(mlflow_run, "register", refuse)
    with caplog.at_level(logging.WARNING, logger="automl"):
        _publish(uri, "first", trials[0], 0.8)
    reason = f"tracker mlflow:{uri}: the winner is no model version: no registry at http://ann:***@host"
    assert [one.getMessage() for one in caplog.records] == [reason]
    client = connection.connect(uri)
    experiment = client.get_experiment_by_name(record().problem)
    assert experiment is not None
    (parent,) = client.search_runs([experiment.experiment_id], "tags.`study.uid` = 'uid-first'")
    assert parent.info.status == "FINISHED"
