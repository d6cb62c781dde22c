"""Workers as processes of this machine, and the end of such a process: joining a study, and ending with its driver."""

from __future__ import annotations

import ctypes
import inspect
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress

from automl import plugins
from automl._errors import StudyError
from automl._wiring import Wiring, wire
from automl._worker import JOINED, for_driver
from automl.config import parse_config
from automl.opening import existing_store
from automl.study import Study
from evaluators._training.cores import SHARING, cores_of_each
from storage import StorageError, StudyRecord

DRIVER, PARENT = "AUTOML_DRIVER", "AUTOML_PARENT"
"""Names in a worker's environment: of the driver that it works for, and of the process that it ends with."""
TAIL_BYTES = 4096
WATCH_SECONDS = 1.0
START_SECONDS = 3600.0
"""What an evaluator may need beside its trials: raw data may have to be prepared."""
_PR_SET_PDEATHSIG = 1


class LocalLauncher:
    """Starts `automl work STUDY` here. The store's address, which may hold a password, goes by the environment.

    Raises:
        StudyError: the store cannot be shared between processes.
    """

    def __init__(self, study: str, *, storage: str, driver: str, workers: int) -> None:
        check_can_be_shared(storage, workers)
        self._command = (sys.executable, "-P", "-m", "automl", "work", study)
        threads = str(cores_of_each(workers))
        self._environment = {
            "OMP_NUM_THREADS": threads,  # of what a searcher fits; training sets its own
            **os.environ,
            "AUTOML_STORAGE": storage,
            DRIVER: driver,
            PARENT: str(os.getpid()),
            SHARING: str(workers),
        }

    def start(self) -> LocalWorker:
        """Starts one more."""
        return LocalWorker(self._command, self._environment)


class LocalWorker:
    """A worker in a session of its own, so that the terminal's Ctrl-C reaches it through the driver alone."""

    def __init__(self, command: tuple[str, ...], environment: dict[str, str]) -> None:
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the worker
        self._last_words = ""
        self._child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._output,
            start_new_session=True,
            env=environment,
        )

    @property
    def pid(self) -> int:
        """Process id."""
        return self._child.pid

    def poll(self) -> int | None:
        """Its exit code, None while it runs."""
        code = self._child.poll()
        if code is not None:
            self._let_go()
        return code

    def stop(self) -> None:
        """Asks it to end after its running trial; asked a second time it ends at once."""
        with suppress(ProcessLookupError):
            self._child.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Ends it at once; what it trains ends by itself."""
        with suppress(ProcessLookupError):
            self._child.kill()
        self._child.wait()
        self._let_go()

    def last_words(self) -> str:
        """The last line that it wrote."""
        return self._last_line() if not self._output.closed else self._last_words

    def _let_go(self) -> None:
        if not self._output.closed:
            self._last_words = self._last_line()
            self._output.close()

    def _last_line(self) -> str:
        descriptor = self._output.fileno()
        start = max(0, os.fstat(descriptor).st_size - TAIL_BYTES)
        # not by seek: the worker writes where the file stands, which it shares with us
        lines = os.pread(descriptor, TAIL_BYTES, start).decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")


def check_can_be_shared(storage: str, workers: int) -> None:
    """Refuses a store that lives in one process.

    Raises:
        StudyError: so it does, and several workers are wanted.
    """
    if workers > 1 and storage.startswith("memory:"):
        raise StudyError(
            f"{workers} workers need a store that they can share, but {storage} lives in one process; "
            "take sqlite:///automl.db or a postgresql URL"
        )


def join_study(name: str, *, storage: str | None = None) -> Study:
    """A study to work on beside others; it has no tracker, since mirroring is its driver's part.

    Raises:
        StudyNotFound: the store has no study of that name.
    """
    store = existing_store(storage)
    driver = os.environ.get(DRIVER)
    try:
        return Study(store.study(name), store, _wire_untracked, role=for_driver(driver) if driver else JOINED)
    except StorageError:
        store.close()
        raise


def trial_seconds(study: Study) -> float | None:
    """How long a cohort may take before its worker counts as hung: twice what the evaluator allows, and its start.

    None where the evaluator has no `timeout_seconds`, so that nobody can tell.
    """
    spec = study.config.evaluator
    parameter = inspect.signature(plugins.load("evaluator", spec["name"])).parameters.get("timeout_seconds")
    if parameter is None:
        return None
    limit = plugins.options("evaluator", spec).get("timeout_seconds", parameter.default)
    if not isinstance(limit, int | float):
        return None
    return 2.0 * limit * study.wiring.evaluator.cohort_size + START_SECONDS


def is_orphan() -> bool:
    """Whether this process was started by a driver that is gone."""
    parent = os.environ.get(PARENT)
    return parent is not None and os.getppid() != int(parent)


def end_with_parent(end: Callable[[], None]) -> None:
    """Calls `end` once the driver that started this process is gone; does nothing where none has."""
    if PARENT not in os.environ:
        return
    if sys.platform == "linux":  # the signal comes at once, the watch below within a second
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    threading.Thread(target=_watch_parent, args=(end,), name="parent", daemon=True).start()


def _watch_parent(end: Callable[[], None]) -> None:
    while not is_orphan():
        time.sleep(WATCH_SECONDS)
    end()


def _wire_untracked(record: StudyRecord) -> Wiring:
    config = parse_config(record.config, source=f"study {record.name!r}")
    return wire(record, config.model_copy(update={"tracker": None}))
