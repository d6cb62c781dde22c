"""Studies in MLflow: an experiment per problem, a run per study, a run below it per finished trial.

MLflow is a copy for people and never read back as the record. Each trial is written with one `log_batch` through
a client of its own: the fluent API, its active run, `MLFLOW_RUN_ID` and the asynchronous mode are left alone.
"""

from __future__ import annotations

import logging
import math
import os
import re
import sqlite3
import tempfile
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from urllib.parse import quote

from evaluators import Objective, Trial
from storage._errors import TrackerError
from storage._masking import masked
from storage._store import StudyRecord
from storage.trackers import _mlflow_layout as layout

if TYPE_CHECKING:
    from mlflow.entities import Run
    from mlflow.tracking import MlflowClient

__all__ = ["MlflowRun"]

DEFAULT_URI = "sqlite:///mlflow.db"
SQLITE = "sqlite:///"
PAGE = 1000


DEFAULTS = MappingProxyType(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",  # a search reports to nobody, unless its user lets MLflow do so
        # The mirror tries again for as long as the search runs: with MLflow's own seven retries a server that
        # is down takes two minutes to say so, and the end of the search waits for it.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
    }
)
"""Settings of MLflow's client where the environment has none."""


class MlflowRun:
    """Shows a study in MLflow.

    `uri` is MLFLOW_TRACKING_URI or `sqlite:///mlflow.db` unless given; `experiment` is MLFLOW_EXPERIMENT_NAME
    or the study's problem unless given. MLflow takes seconds to load and does so in `open`.
    """

    def __init__(self, uri: str | None = None, experiment: str | None = None) -> None:
        self._uri = _absolute(uri or os.environ.get("MLFLOW_TRACKING_URI") or DEFAULT_URI)
        self._experiment_name = experiment or os.environ.get("MLFLOW_EXPERIMENT_NAME")
        self._study: _Study | None = None

    @property
    def name(self) -> str:
        """`mlflow:`, the URI without password, and the experiment where one was named."""
        experiment = f"#{self._experiment_name}" if self._experiment_name else ""
        return f"mlflow:{masked(self._uri)}{experiment}"

    def open(self, record: StudyRecord, objectives: Sequence[Objective]) -> str:
        """Finds the study's run by its uid, or creates it; the entry's name ends with the run's id.

        Raises:
            TrackerError: the experiment was deleted in MLflow.
        """
        client = _client(self._uri)
        experiment = _experiment(client, self._experiment_name or record.problem or record.name, self._uri)
        found = _search(client, [experiment], _is("study.uid", record.uid), limit=1)
        parent = found[0] if found else _create_parent(client, experiment, record)
        if found:
            _reopen_parent(client, parent, record)
        self._study = _Study(client, experiment, parent, record, objectives)
        return f"{self.name}/{parent.info.run_id}"

    def log(self, trials: Sequence[Trial]) -> None:
        """Gives each trial its run; finishes a half-written one.

        Raises:
            TrackerError: `open` was never called.
        """
        self._opened().log(trials)

    def summarize(self, *, status: str, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        """Ends the study's run with its metrics and files.

        Raises:
            TrackerError: `open` was never called.
        """
        self._opened().end(status, metrics, files)

    def close(self) -> None:
        """Forgets the study; MLflow keeps its own connections."""
        self._study = None

    def _opened(self) -> _Study:
        if self._study is None:
            raise TrackerError(f"open the tracker {self.name} with a study before logging to it")
        return self._study


def experiments(uri: str, study: str | None = None) -> dict[str, str]:
    """MLflow's numbers of the experiments that hold studies, or the study of that name, by their names."""
    client = _client(_absolute(uri))
    known = {one.experiment_id: one.name for one in client.search_experiments()}
    filter_string = _is("study.name", study) if study else "tags.`study.uid` LIKE '%'"
    found = {run.info.experiment_id for run in _search(client, list(known), filter_string)} if known else set()
    return {name: number for number, name in known.items() if number in found}


def trial_uids(uri: str, study: str) -> list[str]:
    """The uid of every trial's run of the study of that name, doubles included."""
    client = _client(_absolute(uri))
    known = [one.experiment_id for one in client.search_experiments()]
    runs = _search(client, known, _is("study.name", study)) if known else []
    return [run.data.tags["trial.uid"] for run in runs if "trial.uid" in run.data.tags]


class _Study:
    """A study's runs in an open MLflow."""

    def __init__(
        self,
        client: MlflowClient,
        experiment: str,
        parent: Run,
        record: StudyRecord,
        objectives: Sequence[Objective],
    ) -> None:
        self._client = client
        self._experiment = experiment
        self._parent = parent.info.run_id
        self._record = record
        self._objectives = objectives
        self._best = {name: value for name, value in parent.data.metrics.items() if name.startswith("best/")}
        points = [point for name in self._best for point in client.get_metric_history(self._parent, name)]
        started = (0, _milliseconds(record.created_at))
        self._last = max(((point.step, point.timestamp) for point in points), default=started)  # trials ended, when
        # A crash may have come between writing a batch and moving the cursor. Trials come in the order in which
        # they ended, so once a whole batch is new, everything after it is.
        self._looks_back = True
        self._shown: set[int] = set()

    def log(self, trials: Sequence[Trial]) -> None:
        """Gives each trial its run, and the study's run the new best values."""
        new = [trial for trial in trials if trial.number not in self._shown]
        if not new:
            return
        looks_back, self._looks_back = self._looks_back, True  # also after an error on the way
        known = [self._log_trial(trial, looks_back=looks_back) for trial in new]
        self._log_best(new)
        self._looks_back = any(known)
        self._shown.update(trial.number for trial in new)

    def end(self, status: str, metrics: Mapping[str, float], files: Sequence[Path]) -> None:
        """Ends the study's run; its metrics stand at the count of ended trials, after the best values so far."""
        from mlflow.entities import Metric

        step, time = self._last
        finite = [Metric(name, value, time, step) for name, value in metrics.items() if math.isfinite(value)]
        self._client.log_batch(self._parent, metrics=finite)
        for file in files:
            self._client.log_artifact(self._parent, str(file))
        self._client.set_terminated(self._parent, status=status)

    def _log_trial(self, trial: Trial, *, looks_back: bool) -> bool:
        """Shows one trial; says whether it had a run."""
        uid = layout.trial_uid(self._record, trial)
        found = _search(self._client, [self._experiment], _is("trial.uid", uid), limit=1) if looks_back else []
        run = found[0] if found else self._create(trial)
        if run.info.status == "RUNNING":
            self._fill(run, trial)
        return bool(found)

    def _create(self, trial: Trial) -> Run:
        ended = trial.finished_at or 0.0
        seconds = trial.evaluation.seconds if trial.evaluation else 0.0
        return self._client.create_run(
            self._experiment,
            start_time=_milliseconds(trial.started_at or ended - seconds),
            tags=layout.trial_tags(self._record, trial, parent=self._parent),
            run_name=f"trial {trial.number}",
        )

    def _fill(self, run: Run, trial: Trial) -> None:
        """Writes what a fresh or half-written run lacks; all of it may be written twice."""
        from mlflow.entities import Metric, Param

        ended = _milliseconds(trial.finished_at or 0.0)
        self._client.log_batch(
            run.info.run_id,
            metrics=[Metric(one.name, one.value, ended, one.step) for one in layout.trial_readings(trial)],
            params=[Param(name, value) for name, value in layout.trial_params(trial).items()],
        )
        if trial.candidate.architecture:
            _write_artifact(run, "architecture.json", trial.candidate.architecture.to_json(), self._client.tracking_uri)
        self._client.set_terminated(run.info.run_id, status=layout.STATUS[trial.state], end_time=ended)

    def _log_best(self, trials: Sequence[Trial]) -> None:
        from mlflow.entities import Metric

        times = {trial.finish_order or 0: _milliseconds(trial.finished_at or 0.0) for trial in trials}
        self._last = max(self._last, *times.items())
        readings = layout.best_readings(trials, self._objectives, self._best)
        if readings:
            points = [Metric(one.name, one.value, times[one.step], one.step) for one in readings]
            self._client.log_batch(self._parent, metrics=points)


def _client(uri: str) -> MlflowClient:
    for name, value in DEFAULTS.items():  # before MLflow is loaded
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # the mirror says it once
    warnings.filterwarnings("ignore", message="The ``noload`` loader strategy is deprecated")
    if uri.startswith(SQLITE):
        _use_write_ahead_log(Path(uri.removeprefix(SQLITE)))
    return MlflowClient(tracking_uri=uri)


def _use_write_ahead_log(file: Path) -> None:
    """Halves the time of a commit; the file remembers it, and MLflow never sets it."""
    with closing(sqlite3.connect(file)) as connection:
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")


def _experiment(client: MlflowClient, name: str, uri: str) -> str:
    """The number of the experiment, created where it is missing."""
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        try:
            return client.create_experiment(name, _artifact_location(name, uri), dict(layout.EXPERIMENT_TAGS))
        except MlflowException:  # another study of this problem may have been faster
            found = client.get_experiment_by_name(name)
            if found is None:
                raise
    if found.lifecycle_stage != "active":
        raise TrackerError(
            f"experiment {name!r} was deleted in MLflow; restore it with "
            f"'mlflow experiments restore --experiment-id {found.experiment_id}', or name another experiment"
        )
    return found.experiment_id


def _artifact_location(experiment: str, uri: str) -> str | None:
    """Beside a SQLite file, wherever the search was started; elsewhere the server decides."""
    if not uri.startswith(SQLITE):
        return None
    folder = re.sub(r"[^\w.-]+", "-", experiment, flags=re.ASCII).strip("-.")
    return f"file://{quote(str(Path(uri.removeprefix(SQLITE)).parent))}/mlruns/{folder or 'experiment'}"


def _create_parent(client: MlflowClient, experiment: str, record: StudyRecord) -> Run:
    from mlflow.entities import Dataset, DatasetInput, Param

    started = _milliseconds(record.created_at)
    run = client.create_run(experiment, start_time=started, tags=layout.study_tags(record), run_name=record.name)
    client.log_batch(run.info.run_id, params=[Param(*pair) for pair in layout.study_params(record).items()])
    dataset = layout.study_dataset(record)
    if dataset is not None:
        name, digest, source = dataset
        client.log_inputs(run.info.run_id, datasets=[DatasetInput(Dataset(name, digest, "local", source))])
    return run


def _reopen_parent(client: MlflowClient, parent: Run, record: StudyRecord) -> None:
    """Marks a resumed study as running; its params never change, so a larger budget becomes a tag."""
    from mlflow.entities import Param, RunTag

    known = parent.data.params
    params = layout.study_params(record)
    client.log_batch(
        parent.info.run_id,
        params=[Param(name, value) for name, value in params.items() if name not in known],
        tags=[RunTag(f"resumed.{name}", value) for name, value in params.items() if known.get(name, value) != value],
    )
    if parent.info.status != "RUNNING":
        client.update_run(parent.info.run_id, status="RUNNING")


def _search(client: MlflowClient, experiment_ids: list[str], filter_string: str, limit: int | None = None) -> list[Run]:
    return list(_pages(client, experiment_ids, filter_string, limit))


def _pages(client: MlflowClient, experiment_ids: list[str], filter_string: str, limit: int | None) -> Iterator[Run]:
    token = None
    while True:
        page = client.search_runs(experiment_ids, filter_string, max_results=limit or PAGE, page_token=token)
        yield from page
        token = page.token
        if limit or not token:
            return


def _is(tag: str, value: str) -> str:
    quotes = '"' if "'" in value else "'"
    return f"tags.`{tag}` = {quotes}{value}{quotes}"


def _write_artifact(run: Run, name: str, text: str, tracking_uri: str) -> None:
    """Through the repository that the client uses: asking the client would look the run up again, for a third more."""
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        get_artifact_repository(run.info.artifact_uri, tracking_uri=tracking_uri).log_artifact(str(file))  # type: ignore[no-untyped-call]


def _absolute(uri: str) -> str:
    relative = uri.startswith(SQLITE) and not uri.startswith(f"{SQLITE}/")
    return f"{SQLITE}{Path(uri.removeprefix(SQLITE)).absolute()}" if relative else uri


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000)
