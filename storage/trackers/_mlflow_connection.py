"""Reaches MLflow: its client, experiments, searches and artifacts, and work on many runs at a time."""

from __future__ import annotations

import logging
import os
import re
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import quote

from storage._errors import TrackerError
from storage.trackers import _mlflow_layout as layout

if TYPE_CHECKING:
    from mlflow.entities import Run, RunInfo
    from mlflow.store.artifact.artifact_repo import ArtifactRepository
    from mlflow.tracking import MlflowClient

Item = TypeVar("Item")
Made = TypeVar("Made")

SQLITE = "sqlite:///"
PAGE = 500
THREADS = 8
"""Requests at a time to a server; a SQLite file has one writer, and is written by one thread."""

DEFAULTS = MappingProxyType(
    {
        "MLFLOW_DISABLE_TELEMETRY": "true",  # a search reports to nobody, unless its user lets MLflow do so
        # The mirror tries again for as long as the search runs: with MLflow's own seven retries a server that
        # is down takes two minutes to say so, and the end of the search waits for it.
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
        "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
        "MLFLOW_HTTP_REQUEST_TIMEOUT": "15",
        "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",  # one link a run, and where JSON may go
    }
)
"""Settings of MLflow's client where the environment has none."""


def connect(uri: str) -> MlflowClient:
    """A client of its own for the URI; loads MLflow, which takes seconds.

    Raises:
        TrackerError: the URI names a store of studies, which must stay the store's alone.
    """
    if uri.startswith(SQLITE):
        _refuse_store(Path(uri.removeprefix(SQLITE)))
    for name, value in DEFAULTS.items():  # before MLflow is loaded
        os.environ.setdefault(name, value)
    from mlflow.tracking import MlflowClient

    if "MLFLOW_LOGGING_LEVEL" not in os.environ:
        logging.getLogger("mlflow").setLevel(logging.WARNING)
        logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)  # the mirror says it once
    warnings.filterwarnings("ignore", message="The ``noload`` loader strategy is deprecated")
    if uri.startswith(SQLITE):
        file = Path(uri.removeprefix(SQLITE))
        _make_whole(file)
        _use_write_ahead_log(file)
    return MlflowClient(tracking_uri=uri)


def absolute(uri: str) -> str:
    """The URI with a relative SQLite file made absolute."""
    relative = uri.startswith(SQLITE) and not uri.startswith(f"{SQLITE}/")
    return f"{SQLITE}{Path(uri.removeprefix(SQLITE)).absolute()}" if relative else uri


def find_experiment(client: MlflowClient, name: str) -> str:
    """The number of the experiment, created where it is missing.

    Raises:
        TrackerError: it was deleted in MLflow.
    """
    from mlflow.exceptions import MlflowException

    found = client.get_experiment_by_name(name)
    if found is None:
        location = _artifact_location(name, client.tracking_uri)
        try:
            return client.create_experiment(name, location, dict(layout.EXPERIMENT_TAGS))
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


def search(
    client: MlflowClient, experiments: list[str], filter_string: str, *, with_deleted: bool = False
) -> Iterator[Run]:
    """All runs that the filter finds, oldest first."""
    from mlflow.entities import ViewType

    view = ViewType.ALL if with_deleted else ViewType.ACTIVE_ONLY
    order = ["attributes.start_time ASC"]
    token = None
    while True:
        page = client.search_runs(experiments, filter_string, view, PAGE, order, token)
        yield from page
        token = page.token
        if not token:
            return


def has_tag(tag: str, value: str) -> str:
    """A filter for runs whose tag has the value."""
    return f"tags.`{tag}` = {_quoted(value)}"


def tag_begins(tag: str, value: str) -> str:
    """A filter for runs whose tag begins like that; may find a few more."""
    return f"tags.`{tag}` LIKE {_quoted(f'{value}%')}"


def is_active(run: Run) -> bool:
    """Whether nobody has deleted the run."""
    return run.info.lifecycle_stage == "active"


def upload(client: MlflowClient, run: RunInfo, file: Path, folder: str | None = None) -> None:
    """Attaches a file to a run, without looking the run up again: that would take a third more."""
    _artifacts(client, run).log_artifact(str(file), folder)  # type: ignore[no-untyped-call]


def write_artifact(client: MlflowClient, run: RunInfo, name: str, text: str) -> None:
    """Attaches a text to a run."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / name
        file.write_text(text, encoding="utf-8")
        upload(client, run, file)


def artifact_names(client: MlflowClient, run: RunInfo, folder: str | None = None) -> set[str]:
    """Names of the files that are attached to a run."""
    return {Path(one.path).name for one in _artifacts(client, run).list_artifacts(folder)}


def on_each(client: MlflowClient, action: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """Does something to each item, to several at a time where a server answers; what comes of it, in order."""
    if client.tracking_uri.startswith(SQLITE):
        return [action(item) for item in items]
    with ThreadPoolExecutor(THREADS, thread_name_prefix="tracker") as pool:
        return list(pool.map(action, items))


def milliseconds(seconds: float) -> int:
    """MLflow's unit of time."""
    return int(seconds * 1000)


def _artifacts(client: MlflowClient, run: RunInfo) -> ArtifactRepository:
    from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

    return get_artifact_repository(run.artifact_uri, tracking_uri=client.tracking_uri)


def _make_whole(file: Path) -> None:
    """Lets MLflow make its tables under another name, and then gives the file its own.

    Where a process is killed while MLflow makes them, MLflow never opens that file again.
    """
    from mlflow.tracking import MlflowClient

    if file.exists():
        return
    # a fresh name each time: MLflow remembers what it has opened by its name
    with tempfile.TemporaryDirectory(prefix=f".{file.name}-", dir=file.parent) as folder:
        draft = Path(folder) / file.name
        MlflowClient(tracking_uri=f"{SQLITE}{draft}").search_experiments(max_results=1)
        try:
            os.link(draft, file)
        except FileExistsError:  # another process was faster
            return
        except OSError:  # a file system without links
            draft.rename(file)


def _refuse_store(file: Path) -> None:
    """Looks without changing anything; what cannot be looked at is MLflow's to tell of."""
    if not file.is_file():
        return
    # without a log nothing is written beside the file: SQLite would make one even to read
    log = file.with_name(f"{file.name}-wal")
    mode = "mode=ro" if log.exists() and log.stat().st_size else "mode=ro&immutable=1"
    with suppress(sqlite3.Error), closing(sqlite3.connect(f"{file.absolute().as_uri()}?{mode}", uri=True)) as found:
        if found.execute("SELECT 1 FROM sqlite_master WHERE name = 'ctr_automl_version'").fetchone():
            raise TrackerError(
                f"a tracker needs a database of its own, but {file} holds studies; name another one, for instance "
                "sqlite:///mlflow.db"
            )


def _use_write_ahead_log(file: Path) -> None:
    """Halves the time of a commit; the file remembers it, and MLflow never sets it."""
    with closing(sqlite3.connect(file)) as connection:
        if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
            connection.execute("PRAGMA journal_mode = WAL")


def _artifact_location(experiment: str, uri: str) -> str | None:
    """Beside a SQLite file, wherever the search was started; elsewhere the server decides."""
    if not uri.startswith(SQLITE):
        return None
    folder = re.sub(r"[^\w.-]+", "-", experiment, flags=re.ASCII).strip("-.")
    return f"file://{quote(str(Path(uri.removeprefix(SQLITE)).parent))}/mlruns/{folder or 'experiment'}"


def _quoted(value: str) -> str:
    quotes = '"' if "'" in value else "'"
    return f"{quotes}{value}{quotes}"
