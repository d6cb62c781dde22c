"""A search in processes of its own, which a benchmark may disturb."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from automl._errors import StudyError
from automl._yaml import to_yaml
from automl.config import load_config
from automl.opening import open_new
from automl.validation import prepare
from evaluators import Suggestion, Trial
from storage import StorageError, open_store

NAME = "faults"
ROWS = 20_000
LONGEST_SECONDS = 600.0
POLL_SECONDS = 0.25


@dataclass(frozen=True)
class Ended:
    """How a command ended: its code, what it last said, and whether it said so in a traceback."""

    code: int
    said: str
    has_traceback: bool


@dataclass(frozen=True)
class Search:
    """One study in `folder`: `study.yaml`, a store, an MLflow file beside it, and the log of all its processes.

    `sections` are those of the configuration; `environment` is added to that of every process.
    """

    folder: Path
    sections: Mapping[str, Any]
    storage: str = ""
    workers: int = 1
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        """Of the store."""
        return self.storage or f"sqlite:///{self.folder / 'automl.db'}"

    @property
    def tracker(self) -> str:
        """Where the study is mirrored."""
        section = self.sections.get("tracker") or {}
        return str(section.get("uri") or f"sqlite:///{self.folder / 'mlflow.db'}")

    @property
    def log(self) -> Path:
        """What all processes of the search said."""
        return self.folder / "log.txt"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "driver.pid"

    def exists(self) -> bool:
        """Whether the study has begun."""
        try:
            store = open_store(self.url, create=False)
        except StorageError:
            return False
        try:
            return any(record.name == NAME for record in store.studies())
        finally:
            store.close()

    def trials(self) -> list[Trial]:
        """All trials, read anew by a store that remembers nothing."""
        store = open_store(self.url, create=False)
        try:
            return store.trials(NAME)
        finally:
            store.close()

    def finished(self) -> int:
        """How many trials have ended; none while the study has not begun."""
        try:
            return sum(trial.state.is_finished for trial in self.trials())
        except StorageError:
            return 0

    def has_moved(self, finished: int) -> bool:
        """Whether more trials have ended than so many; reads those alone."""
        try:
            store = open_store(self.url, create=False)
        except StorageError:
            return False
        try:
            return bool(store.trials(NAME, finished_after=finished))
        finally:
            store.close()

    def begin(self, suggestions: Sequence[Suggestion] = ()) -> None:
        """Makes the study, and queues suggestions of the benchmark's own for it."""
        study = open_new(load_config(self.write()))
        try:
            if suggestions:
                study.store.begin(NAME, suggestions, ask_number=0, stage="search")
        finally:
            study.close()

    def write(self) -> Path:
        """The configuration and the data that it names."""
        data = self.folder / "data"
        if not (data / "schema.json").exists():
            prepare("synthetic", out=data, options={"rows": ROWS})
        content = {
            "schema_version": 1,
            "study": {"name": NAME, "seed": 1},
            "data": str(data),
            "searcher": {"name": "random_search"},
            "storage": self.url,
            "baselines": [],
            **self.sections,
        }
        path = self.folder / "study.yaml"
        path.write_text(to_yaml(content), encoding="utf-8")
        return path

    def go_on(self, *, trials: int | None = None) -> subprocess.Popen[bytes]:
        """Starts the search, or resumes it where it has begun; `trials` is then its new budget."""
        self.end_leftover()
        verb = ["resume", NAME, "--storage", self.url] if self.exists() else ["search", str(self.write())]
        count = [] if trials is None else ["--trials", str(trials)]
        many = [] if self.workers == 1 else ["--workers", str(self.workers)]
        driver = self.run(*verb, *count, *many)
        self._pid_file.write_text(str(driver.pid), encoding="ascii")
        return driver

    def end_leftover(self) -> None:
        """A benchmark that was killed has left its search running: ends that at once."""
        with suppress(OSError, ValueError, psutil.Error):
            pid = int(self._pid_file.read_text(encoding="ascii"))
            driver = psutil.Process(pid)
            words = driver.cmdline()
            if "automl" in words and (self.url in words or str(self.folder / "study.yaml") in words):
                for one in (*driver.children(recursive=True), driver):  # one that is paused would not end by itself
                    one.kill()

    def run(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts a command in the folder; what it says goes to the log."""
        with self.log.open("ab") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "automl", *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, "OMP_NUM_THREADS": "1", **self.environment},
                start_new_session=True,
            )

    def ended(self, command: subprocess.Popen[bytes], *, seconds: float = LONGEST_SECONDS) -> Ended:
        """Waits for a command.

        Raises:
            StudyError: it is still there after `seconds`; it is ended then.
        """
        before = self.log.stat().st_size if self.log.exists() else 0
        try:
            code = command.wait(seconds)
        except subprocess.TimeoutExpired:
            end_group(command)
            raise StudyError(f"a command must end within {seconds:g} seconds, but did not; see {self.log}") from None
        lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        recent = self.log.read_bytes()[max(0, before - 4000) :].decode(errors="replace")
        return Ended(code, next((line for line in reversed(lines) if line.strip()), ""), "Traceback" in recent)

    def asked(self, *arguments: str, seconds: float = LONGEST_SECONDS) -> subprocess.CompletedProcess[str]:
        """Runs a command to its end, apart from the log."""
        return subprocess.run(
            [sys.executable, "-m", "automl", *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            env={**os.environ, "OMP_NUM_THREADS": "1", **self.environment},
            check=False,
        )


def wait_until(is_so: Callable[[], bool], *, seconds: float) -> bool:
    """Whether it came to be so within the time."""
    ends_at = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > ends_at:
            return False
        time.sleep(POLL_SECONDS)
    return True


def end_group(command: subprocess.Popen[bytes]) -> None:
    """Ends a command and whatever shares its session, at once."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(command.pid, signal.SIGKILL)
    command.wait()
