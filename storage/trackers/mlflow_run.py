"""Studies in MLflow: an experiment per problem, a run per study, a run below it per finished trial.

MLflow is a copy for people and never read back as the record. Each trial is written with one `log_batch` through
a client of its own: the fluent API, its active run, `MLFLOW_RUN_ID` and the asynchronous mode are left alone.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from evaluators import Trial
from storage._errors import TrackerError
from storage._masking import masked
from storage._store import StudyRecord
from storage._tracker import StudyReading, Summary, Synced, Tags, Winner
from storage.trackers import _mlflow_connection as connection
from storage.trackers._mlflow_registry import register
from storage.trackers._mlflow_repair import Repair
from storage.trackers._mlflow_study import StudyRun
from storage.trackers._mlflow_trials import TrialRuns

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

__all__ = ["MlflowRun"]

LOG = logging.getLogger("automl")
DEFAULT_URI = "sqlite:///mlflow.db"


class MlflowRun:
    """Shows a study in MLflow.

    `uri` is MLFLOW_TRACKING_URI or `sqlite:///mlflow.db` unless given; `experiment` is MLFLOW_EXPERIMENT_NAME
    or the study's problem unless given. MLflow takes seconds to load and does so in `open`.
    """

    def __init__(self, uri: str | None = None, experiment: str | None = None) -> None:
        self._uri = connection.absolute(uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)
        self._experiment_name = experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME")
        self._study: _Study | None = None

    @property
    def name(self) -> str:
        """`mlflow:`, the URI without password, and the experiment where one was named."""
        experiment = f"#{self._experiment_name}" if self._experiment_name else ""
        return f"mlflow:{masked(self._uri)}{experiment}"

    def open(self, record: StudyRecord) -> str:
        """Finds the study's run by its uid, or creates it; the entry's name ends with the run's id.

        A run that was deleted stays deleted, as whoever deleted it may want a fresh start; `sync` restores it.

        Raises:
            TrackerError: the experiment was deleted in MLflow.
        """
        return self._open(record, is_live=True)

    def log(self, trials: Sequence[Trial], tags: Tags) -> None:
        """Gives each trial its run; finishes a half-written one.

        Raises:
            TrackerError: `open` was never called.
        """
        self._opened().trials.show(trials, tags)

    def update(self, readings: Sequence[StudyReading], tags: Tags) -> None:
        """Adds numbers to the study's run, and sets tags of trials that have runs.

        Raises:
            TrackerError: `open` was never called.
        """
        self._opened().parent.measure(readings)
        self._opened().trials.retag(tags)

    def summarize(self, summary: Summary) -> None:
        """Ends the study's run with its files, and gives the winner a version of the problem's registered model.

        Raises:
            TrackerError: `open` was never called.
        """
        study = self._opened()
        study.parent.end(summary.status, summary)
        self._register(study, summary.winner)

    def sync(
        self,
        record: StudyRecord,
        trials: Sequence[Trial],
        *,
        readings: Sequence[StudyReading],
        tags: Tags,
        summary: Summary,
    ) -> Synced:
        """Makes all runs of the study what the store says; see `Repair` for what becomes of each.

        The study's run keeps metrics, tags and files that are not ours. A metric's history is made whole; a point
        that somebody else wrote into it stays, as MLflow cannot take it away.

        Raises:
            TrackerError: the experiment was deleted in MLflow.
        """
        entry = self._open(record, is_live=False)
        study = self._opened()
        synced = Repair(study.trials, tags).all(trials)
        synced = replace(synced, doubles=synced.doubles + study.doubles, entry=entry)
        study.parent.complete(readings, summary, is_changed=synced.is_changed, is_new=synced.created > 0)
        self._register(study, summary.winner)
        return synced

    def close(self) -> None:
        """Forgets the study; MLflow keeps its own connections."""
        self._study = None

    def _open(self, record: StudyRecord, *, is_live: bool) -> str:
        client = connection.connect(self._uri)
        experiment = connection.find_experiment(client, self._experiment_name or record.problem or record.name)
        self._study = _Study(client, experiment, record, is_live=is_live)
        return f"{self.name}/{self._study.parent.run_id}"

    def _opened(self) -> _Study:
        if self._study is None:
            raise TrackerError(f"open the tracker {self.name} with a study before logging to it")
        return self._study

    def _register(self, study: _Study, winner: Winner | None) -> None:
        run = study.trials.info_of(winner.trial.number) if winner else None
        if winner is None or run is None:
            return
        try:
            register(study.client, study.record, winner, run)
        except Exception as error:  # noqa: BLE001  # a registry may be missing or forbidden; the runs are what counts
            reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
            LOG.warning("tracker %s: the winner is no model version: %s", self.name, masked(reason))


class _Study:
    """A study's runs in an open MLflow."""

    def __init__(self, client: MlflowClient, experiment: str, record: StudyRecord, *, is_live: bool) -> None:
        self.client = client
        self.record = record
        self.parent = StudyRun(client, experiment, record)
        self.doubles = 0
        if is_live:
            self.parent.open()
        else:
            self.doubles = self.parent.sync()
        self.trials = TrialRuns(client, experiment, record, self.parent.run_id)


def experiments(uri: str, study: str | None = None) -> dict[str, str]:
    """MLflow's numbers of the experiments that hold studies, or the study of that name, by their names."""
    client = connection.connect(connection.absolute(uri))
    known = {one.experiment_id: one.name for one in client.search_experiments()}
    wanted = connection.has_tag("study.name", study) if study else connection.tag_begins("study.uid", "")
    found = {run.info.experiment_id for run in connection.search(client, list(known), wanted)} if known else set()
    return {name: number for number, name in known.items() if number in found}


def trial_uids(uri: str, study: str) -> list[str]:
    """The uid of every trial's run of the study of that name, doubles included."""
    client = connection.connect(connection.absolute(uri))
    known = [one.experiment_id for one in client.search_experiments()]
    runs = connection.search(client, known, connection.has_tag("study.name", study)) if known else []
    return [run.data.tags["trial.uid"] for run in runs if "trial.uid" in run.data.tags]
