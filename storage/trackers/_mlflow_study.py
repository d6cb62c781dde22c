"""A study's own run in MLflow, above those of its trials."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from storage._store import StudyRecord
from storage._tracker import StudyReading, Summary
from storage.trackers import _mlflow_connection as connection
from storage.trackers import _mlflow_layout as layout

if TYPE_CHECKING:
    from mlflow.entities import Metric, Run
    from mlflow.tracking import MlflowClient

ENDED = ("FINISHED", "FAILED", "KILLED")


class StudyRun:
    """The run that holds a study's settings, its numbers over the count of ended trials, and its files."""

    def __init__(self, client: MlflowClient, experiment: str, record: StudyRecord) -> None:
        self._client = client
        self._experiment = experiment
        self._record = record
        self._run: Run | None = None

    @property
    def run_id(self) -> str:
        """MLflow's name of the run."""
        return str(self._found().info.run_id)

    def open(self) -> None:
        """Finds the run by the study's uid and marks it as running, or creates it."""
        active = [run for run in self._all() if connection.is_active(run)]
        self._run = active[0] if active else self._create()
        if active:
            self._complete_settings()
            if self._run.info.status != "RUNNING":
                self._client.update_run(self.run_id, status="RUNNING")

    def sync(self) -> int:
        """Finds the run and makes its settings whole; restores one that was deleted.

        Deletes a second one, and says how many.
        """
        runs = self._all()
        active = [run for run in runs if connection.is_active(run)]
        deleted = [run for run in runs if run not in active and layout.DISCARDED not in run.data.tags]
        if not active and deleted:
            self._client.restore_run(deleted[0].info.run_id)
        chosen = (active or deleted)[:1]
        for double in active[1:]:
            self._client.set_tag(double.info.run_id, layout.DISCARDED, f"double of {active[0].info.run_id}")
            self._client.delete_run(double.info.run_id)
        self._run = chosen[0] if chosen else self._create()
        if chosen:
            self._complete_settings()
        return len(active[1:])

    def measure(self, readings: Iterable[StudyReading]) -> None:
        """Adds numbers of the study; one that is there already stays one."""
        points = [_metric(reading) for reading in readings if math.isfinite(reading.value)]
        if points:
            self._client.log_batch(self.run_id, metrics=points)

    def complete(self, readings: Sequence[StudyReading], summary: Summary, *, is_changed: bool, is_new: bool) -> None:
        """Makes the run's numbers, status and files whole; `is_new` where it has missed the end of trials."""
        info = self._found().info
        missing = self._missing(readings)
        self.measure(missing)
        is_kept = info.status in ENDED and summary.status != "FINISHED" and not is_new
        status = info.status if is_kept else summary.status
        ended = (info.status, info.end_time) == (status, connection.milliseconds(summary.ended_at))
        names = connection.artifact_names(self._client, info)
        if is_changed or missing or not ended or not {file.name for file in summary.files} <= names:
            self.end(status, summary)

    def end(self, status: str, summary: Summary) -> None:
        """Attaches the summary's files and ends the run with its last trial."""
        for file in summary.files:
            connection.upload(self._client, self._found().info, file)
        self._client.set_terminated(self.run_id, status, connection.milliseconds(summary.ended_at))

    def _missing(self, readings: Sequence[StudyReading]) -> list[StudyReading]:
        """Those of the readings that the run does not have."""
        names = sorted({layout.key(reading.name) for reading in readings} & self._found().data.metrics.keys())
        histories = connection.on_each(self._client, self._history, names)
        known = {point for history in histories for point in history}
        return [reading for reading in readings if _identity(_metric(reading)) not in known]

    def _found(self) -> Run:
        assert self._run is not None
        return self._run

    def _all(self) -> list[Run]:
        filter_string = connection.has_tag("study.uid", self._record.uid)
        return list(connection.search(self._client, [self._experiment], filter_string, with_deleted=True))

    def _history(self, name: str) -> list[tuple[str, float, int, int]]:
        return [_identity(point) for point in self._client.get_metric_history(self.run_id, name)]

    def _create(self) -> Run:
        record = self._record
        started = connection.milliseconds(record.created_at)
        run = self._client.create_run(self._experiment, started, layout.study_tags(record), record.name)
        self._log_params(run.info.run_id, layout.study_params(record))
        self._log_data(run.info.run_id)
        return run

    def _complete_settings(self) -> None:
        """Adds what is missing; params never change, so a larger budget becomes a tag."""
        from mlflow.entities import RunTag

        run, params = self._found(), layout.study_params(self._record)
        known = run.data.params
        tags = layout.study_tags(self._record)
        tags |= {f"resumed.{name}": value for name, value in params.items() if known.get(name, value) != value}
        changed = [RunTag(name, value) for name, value in tags.items() if run.data.tags.get(name) != value]
        if changed:
            self._client.log_batch(self.run_id, tags=changed)
        self._log_params(self.run_id, {name: value for name, value in params.items() if name not in known})
        if not (run.inputs and run.inputs.dataset_inputs):
            self._log_data(self.run_id)

    def _log_params(self, run_id: str, params: dict[str, str]) -> None:
        from mlflow.entities import Param

        if params:
            self._client.log_batch(run_id, params=[Param(name, value) for name, value in params.items()])

    def _log_data(self, run_id: str) -> None:
        from mlflow.entities import Dataset, DatasetInput

        dataset = layout.study_dataset(self._record)
        if dataset is not None:
            name, digest, source = dataset
            self._client.log_inputs(run_id, datasets=[DatasetInput(Dataset(name, digest, "local", source))])


def _metric(reading: StudyReading) -> Metric:
    from mlflow.entities import Metric

    time = connection.milliseconds(reading.time)
    return Metric(layout.key(reading.name), reading.value, time, reading.step)


def _identity(point: Metric) -> tuple[str, float, int, int]:
    return point.key, point.value, point.timestamp, point.step
