"""Serves MLflow's pages on loopback."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from automl._errors import StudyError
from automl.cli._output import say
from automl.config import resolve_url

HOST = "127.0.0.1"
START_SECONDS = 120.0
SAFE_ENVIRONMENT = {
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
    "MLFLOW_ALLOW_MODEL_CODE_EXECUTION": "false",
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
}


def serve(uri: str | None, *, study: str | None, port: int) -> int:
    """Runs an MLflow server until it is interrupted; prints the link to the runs table once it answers.

    Raises:
        StudyError: the store is missing or the port is taken.
    """
    store = resolve_url(uri or "sqlite:///mlflow.db", Path.cwd())
    if store.startswith("http"):
        _print_links(_links(store, study), re.sub(r"//[^/@]*@", "//", store))
        return 0
    _check(store, port)
    links = _links(store, study)
    command = [sys.executable, "-m", "mlflow", "server", "--host", HOST, "--port", str(port), "--workers", "1"]
    address = {"MLFLOW_BACKEND_STORE_URI": store}  # not an argument, which every user of the machine could read
    signal.signal(signal.SIGTERM, _end)
    server = subprocess.Popen(command, env={**os.environ, **SAFE_ENVIRONMENT, **address}, stdout=sys.stderr)
    try:
        _wait(server, port)
        _print_links(links, f"http://{HOST}:{port}")
        return server.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        server.terminate()
        server.wait()


def _end(number: int, _frame: FrameType | None) -> None:
    """Ends like an error would, so that the server is ended too."""
    raise SystemExit(128 + number)


def _check(store: str, port: int) -> None:
    file = store.removeprefix("sqlite:///")
    if file != store and not Path(file).exists():
        raise StudyError(
            f"MLflow's store {file} does not exist yet; run a search with a tracker, or name one with --uri"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            raise StudyError(f"port {port} of {HOST} is taken; choose another with --port") from None


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    ends_at = time.monotonic() + START_SECONDS
    while time.monotonic() < ends_at and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((HOST, port)) == 0:
                return
        time.sleep(0.2)
    raise StudyError(f"MLflow did not answer on port {port} within {START_SECONDS:.0f} s; its output is above")


def _links(store: str, study: str | None) -> dict[str, str]:
    """Where the runs of each experiment are, below the server's address.

    Raises:
        StudyError: MLflow has no such study, or cannot be reached.
    """
    from storage import StorageError, masked
    from storage.trackers.mlflow_run import experiments

    try:
        found = experiments(store, study=study)
    except StorageError:
        raise
    except Exception as error:  # the boundary to foreign code, which may raise anything
        reason = (str(error).strip().splitlines() or [""])[0] or type(error).__name__
        raise StudyError(f"MLflow's store {masked(store)} cannot be read: {masked(reason)}; check --uri") from error
    if study is not None and not found:
        raise StudyError(f"MLflow has no study {study!r} yet; it shows these problems: {', '.join(experiments(store))}")
    return {name: f"#/experiments/{number}/runs?workflowType=machine_learning" for name, number in found.items()}


def _print_links(links: Mapping[str, str], address: str) -> None:
    for name, place in links.items():
        say(f"{name}:")
        sys.stdout.write(f"{address}/{place}\n")
    sys.stdout.flush()
    say("Ctrl-C ends the server.")
