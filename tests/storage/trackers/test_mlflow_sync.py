"""A sync makes MLflow what the store says, whatever had happened to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from evaluators import Trial
from storage import StudyReading, Summary, Synced, Tags
from storage.stores.memory import MemoryStore
from storage.trackers import _mlflow_connection as connection
from storage.trackers import _mlflow_layout as layout
from storage.trackers.mlflow_run import MlflowRun
from tests.storage.samples import CRASH, begin, evaluation, record

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

pytestmark = pytest.mark.slow

RANKS: Tags = {0: {"pareto.rank": "1"}, 1: {"pareto.rank": "2"}}
READINGS = [StudyReading("best/ne", 0.8, 1, 1000.0), StudyReading("best/ne", 0.7, 3, 1002.0)]


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mlflow") / "mlflow.db"


@pytest.fixture
def trials() -> list[Trial]:
    store = MemoryStore()
    store.create_study(record("any"))
    begin(store, 3, study="any")
    store.claim("any", worker="w", limit=3, lease_seconds=60)
    return store.finish("any", [(0, evaluation(0.8)), (1, evaluation(0.9)), (2, CRASH)])


class Mirrored:
    """A study of its own in MLflow, synced once."""

    def __init__(self, file: Path, study: str, trials: list[Trial], folder: Path) -> None:
        self.study = study
        self.trials = trials
        self.status = "FINISHED"
        self.uri = f"sqlite:///{file}"
        self.report = folder / "report.html"
        self.report.write_text("<p>done</p>")
        self.client: MlflowClient = connection.connect(self.uri)
        self.sync()

    def sync(self, *, status: str = "", trials: list[Trial] | None = None) -> Synced:
        self.status = status or self.status
        tracker = MlflowRun(self.uri, experiment=self.study)
        done = tracker.sync(
            record(self.study),
            self.trials if trials is None else trials,
            readings=READINGS,
            tags=RANKS,
            summary=Summary(self.status, 1002.0, (self.report,)),
        )
        tracker.close()
        return done

    def runs(self, *, with_deleted: bool = False) -> list[Run]:
        """The study's run, then those of its trials by number."""
        found = self.client.get_experiment_by_name(self.study)
        assert found is not None
        runs = connection.search(self.client, [found.experiment_id], "", with_deleted=with_deleted)
        return sorted(runs, key=lambda run: int(run.data.tags.get("trial.number", "-1")))

    def trial(self, number: int) -> Run:
        return self.runs()[number + 1]

    def content(self) -> list[dict[str, Any]]:
        """Everything that MLflow holds of the study."""
        return [
            {
                "run": run.info.run_id,
                "status": (run.info.status, run.info.start_time, run.info.end_time, run.info.run_name),
                "tags": run.data.tags,
                "params": run.data.params,
                "history": {
                    name: [
                        (one.step, one.timestamp, one.value)
                        for one in self.client.get_metric_history(run.info.run_id, name)
                    ]
                    for name in run.data.metrics
                },
                "artifacts": connection.artifact_names(self.client, run.info),
            }
            for run in self.runs()
        ]

    def lose(self, run: Run) -> None:
        """Deletes a run for good, as MLflow's garbage collector does."""
        from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

        self.client.delete_run(run.info.run_id)
        store = SqlAlchemyStore(self.uri, "")  # type: ignore[no-untyped-call]
        store._hard_delete_run(run.info.run_id)  # type: ignore[no-untyped-call]

    def folder(self, number: int) -> Path:
        """Where the artifacts of a trial's run lie."""
        return Path(self.trial(number).info.artifact_uri.removeprefix("file://"))


@pytest.fixture
def mirrored(file: Path, request: pytest.FixtureRequest, trials: list[Trial], tmp_path: Path) -> Iterator[Mirrored]:
    """Whatever a test has done to it: afterwards a sync changes nothing any more."""
    made = Mirrored(file, request.node.name, trials, tmp_path)
    yield made
    before = made.content()
    again = made.sync()
    assert (again.unchanged, again.is_changed) == (len(trials), False)
    assert made.content() == before
    uids = [run.data.tags.get("trial.uid") for run in made.runs()]
    assert len(uids) == len(set(uids)) == len(trials) + 1


def test_an_empty_mlflow_is_filled(mirrored: Mirrored) -> None:
    parent, first, _, failed = mirrored.content()
    assert parent["history"] == {"best/ne": [(1, 1_000_000, 0.8), (3, 1_002_000, 0.7)]}
    assert (parent["status"][0], parent["status"][2], parent["artifacts"]) == ("FINISHED", 1_002_000, {"report.html"})
    assert (first["tags"]["pareto.rank"], first["artifacts"]) == ("1", {"architecture.json"})
    assert ("pareto.rank" in failed["tags"], failed["status"][0]) == (False, "FAILED")


def test_it_is_filled_as_a_search_fills_it(mirrored: Mirrored, file: Path, trials: list[Trial]) -> None:
    live = MlflowRun(f"sqlite:///{file}", experiment=f"{mirrored.study}-live")
    live.open(record(mirrored.study))
    live.log(trials, {})
    live.update(READINGS, RANKS)
    live.summarize(Summary("FINISHED", 1002.0, (mirrored.report,)))
    other = Mirrored.__new__(Mirrored)
    other.client, other.study = mirrored.client, f"{mirrored.study}-live"

    def alike(content: list[dict[str, Any]]) -> list[dict[str, Any]]:
        own = {"run": None}
        return [{**run, **own, "tags": {**run["tags"], "mlflow.parentRunId": None}} for run in content[1:]]

    assert alike(other.content()) == alike(mirrored.content())


def test_a_deleted_run_is_restored(mirrored: Mirrored) -> None:
    run = mirrored.trial(1)
    mirrored.client.delete_run(run.info.run_id)
    done = mirrored.sync()
    assert ((done.restored, done.unchanged), mirrored.trial(1).info.run_id) == ((1, 2), run.info.run_id)


def test_a_deleted_run_of_another_content_is_left_deleted(mirrored: Mirrored) -> None:
    run = mirrored.trial(1)
    mirrored.client.log_metric(run.info.run_id, "val/ne", 0.1, step=5)
    mirrored.client.delete_run(run.info.run_id)
    assert mirrored.sync().created == 1
    assert mirrored.trial(1).info.run_id != run.info.run_id


def test_a_deleted_study_is_restored_with_all_its_trials(mirrored: Mirrored) -> None:
    before = mirrored.content()
    for run in mirrored.runs():
        mirrored.client.delete_run(run.info.run_id)
    assert mirrored.sync().restored == 3
    assert mirrored.content() == before


def test_a_run_that_is_gone_for_good_is_created_again(mirrored: Mirrored) -> None:
    mirrored.lose(mirrored.trial(0))
    assert mirrored.sync().created == 1
    assert mirrored.trial(0).data.metrics["val/ne"] == 0.8


def test_a_half_written_run_is_completed(mirrored: Mirrored, trials: list[Trial]) -> None:
    run = mirrored.trial(2)
    mirrored.lose(run)
    tags = layout.trial_tags(record(mirrored.study), trials[2], parent=mirrored.runs()[0].info.run_id)
    half = mirrored.client.create_run(run.info.experiment_id, run.info.start_time, tags, "trial 2")
    assert mirrored.sync().completed == 1
    done = mirrored.trial(2)
    assert (done.info.run_id, done.info.status, done.data.params) == (half.info.run_id, "FAILED", run.data.params)


def test_a_lost_artifact_is_written_again(mirrored: Mirrored) -> None:
    shutil.rmtree(mirrored.folder(0))
    assert mirrored.sync().completed == 1
    assert (mirrored.folder(0) / "architecture.json").exists()


def test_a_double_is_deleted_with_the_reason(mirrored: Mirrored) -> None:
    first = mirrored.trial(0)
    double = mirrored.client.create_run(first.info.experiment_id, 1, dict(first.data.tags), "trial 0")
    done = mirrored.sync()
    assert (done.doubles, done.unchanged, mirrored.trial(0).info.run_id) == (1, 3, first.info.run_id)
    (deleted,) = [run for run in mirrored.runs(with_deleted=True) if not connection.is_active(run)]
    assert (deleted.info.run_id, deleted.data.tags[layout.DISCARDED]) == (
        double.info.run_id,
        f"double of {first.info.run_id}",
    )


def test_a_double_that_was_deleted_is_never_restored(mirrored: Mirrored) -> None:
    first = mirrored.trial(0)
    mirrored.client.create_run(first.info.experiment_id, 1, dict(first.data.tags), "trial 0")
    mirrored.sync()
    mirrored.client.delete_run(first.info.run_id)
    assert mirrored.sync().restored == 1
    assert mirrored.trial(0).info.run_id == first.info.run_id


def test_a_second_run_of_the_study_is_deleted_and_its_trials_move(mirrored: Mirrored) -> None:
    parent, first = mirrored.runs()[:2]
    second = mirrored.client.create_run(
        parent.info.experiment_id, parent.info.start_time + 5, {"study.uid": parent.data.tags["study.uid"]}
    )
    mirrored.client.set_tag(first.info.run_id, "mlflow.parentRunId", second.info.run_id)
    done = mirrored.sync()
    assert (done.corrected, done.unchanged, done.doubles) == (1, 2, 1)


def test_wrong_tags_are_corrected_and_those_of_others_kept(mirrored: Mirrored) -> None:
    first, second, failed = mirrored.runs()[1:]
    mirrored.client.set_tag(first.info.run_id, "pareto.rank", "7")
    mirrored.client.set_tag(first.info.run_id, "mine", "yes")
    mirrored.client.delete_tag(second.info.run_id, "trial.state")
    mirrored.client.set_tag(failed.info.run_id, "pareto.rank", "1")
    assert mirrored.sync().corrected == 3
    assert [run.data.tags.get("pareto.rank") for run in mirrored.runs()[1:]] == ["1", "2", None]
    assert (mirrored.trial(0).data.tags["mine"], mirrored.trial(1).data.tags["trial.state"]) == ("yes", "COMPLETE")


def test_a_wrong_state_is_corrected(mirrored: Mirrored) -> None:
    mirrored.client.set_terminated(mirrored.trial(2).info.run_id, "FINISHED", 77)
    assert mirrored.sync().corrected == 1
    assert mirrored.trial(2).info.status == "FAILED"


def test_a_run_that_contradicts_the_store_is_replaced(mirrored: Mirrored, trials: list[Trial]) -> None:
    mirrored.trials = [replace(trials[0], evaluation=evaluation(0.6)), *trials[1:]]
    done = mirrored.sync()
    assert (done.replaced, done.unchanged, mirrored.trial(0).data.metrics["val/ne"]) == (1, 2, 0.6)


def test_numbers_of_the_study_that_are_missing_are_added(mirrored: Mirrored, monkeypatch: pytest.MonkeyPatch) -> None:
    late = StudyReading("cost/rows", 9.0, 2, 1001.0)
    monkeypatch.setattr(f"{__name__}.READINGS", [*READINGS, late])
    assert mirrored.sync().unchanged == 3
    assert mirrored.content()[0]["history"]["cost/rows"] == [(2, 1_001_000, 9.0)]
    assert mirrored.content()[0]["history"]["best/ne"] == [(1, 1_000_000, 0.8), (3, 1_002_000, 0.7)]


def test_runs_of_trials_that_the_store_does_not_know_are_left_alone(mirrored: Mirrored, trials: list[Trial]) -> None:
    done = mirrored.sync(trials=trials[:2])
    assert (done.unchanged, done.strangers, len(mirrored.runs())) == (2, 1, 4)


@pytest.mark.parametrize(
    ("known", "told", "kept"),
    [
        ("KILLED", "KILLED", "KILLED"),
        ("FAILED", "KILLED", "FAILED"),
        ("RUNNING", "KILLED", "KILLED"),
        ("KILLED", "FINISHED", "FINISHED"),
    ],
)
def test_a_study_that_has_ended_keeps_its_status_until_it_is_finished(
    mirrored: Mirrored, known: str, told: str, kept: str
) -> None:
    mirrored.client.update_run(mirrored.runs()[0].info.run_id, status=known)
    mirrored.sync(status=told)
    assert mirrored.runs()[0].info.status == kept


def test_a_study_that_missed_trials_takes_the_status_it_is_told(mirrored: Mirrored) -> None:
    mirrored.lose(mirrored.trial(2))
    assert mirrored.sync(status="KILLED").created == 1
    assert mirrored.runs()[0].info.status == "KILLED"
