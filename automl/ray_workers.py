"""Workers on the nodes of a Ray cluster: the same `automl work` on the same store, started on other machines.

Ray places and watches; what is remembered stays in the store, so a lost node loses nothing but the time of its running
trial. Each node needs this package, and the data at the same path. Needs the extra `[ray]`.

Source: Moritz et al. 2018, Ray: A Distributed Framework for Emerging AI Applications.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from automl._errors import StudyError
from automl.local_workers import DRIVER, PARENT, LocalWorker
from automl.workers import Spawned
from evaluators._training.cores import SHARING, usable_cores
from storage import masked

NODE_LOST = 70
"""Exit code of a worker whose node, or whose guardian on it, is gone."""

CONNECT_SECONDS = 10.0
QUIET = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS": "0"}  # a search reports to nobody, unless its user says so
LOG = logging.getLogger("automl")


class Guardian:
    """Keeps one worker on a node; it ends with the guardian, and that with the driver.

    Made on the driver, run on the node: takes and gives plain values alone.
    """

    def __init__(self, study: str, cores: int, environment: Mapping[str, str]) -> None:
        here = {PARENT: str(os.getpid()), SHARING: str(max(1, usable_cores() // cores))}
        command = (sys.executable, "-P", "-m", "automl", "work", study)
        self._worker = LocalWorker(command, {**os.environ, **environment, **here})

    def poll(self) -> tuple[int | None, str]:
        """The worker's exit code, None while it runs, and the last thing that it said."""
        return self._worker.poll(), self._worker.last_words()

    def stop(self) -> None:
        """Asks the worker to end after its running trial; asked a second time it ends at once."""
        self._worker.stop()


class RayLauncher:
    """Starts workers on the nodes of a running Ray cluster, `cores` of a node for each, spread over the nodes.

    Raises:
        StudyError: Ray is not installed, no cluster answers at `address`, or its nodes cannot share the store.
    """

    def __init__(self, study: str, *, storage: str, driver: str, address: str = "auto", cores: int = 1) -> None:
        self._ray = _connected(address)
        check_can_be_reached(storage, self._ray.nodes())
        self._study = study
        self._cores = cores
        self._environment = {"AUTOML_STORAGE": storage, DRIVER: driver}
        remote = self._ray.remote(Guardian)
        self._guardian = remote.options(num_cpus=cores, max_restarts=0, scheduling_strategy="SPREAD")

    def start(self) -> Spawned:
        """Starts one more; it waits until a node has room."""
        return RayWorker(self._ray, self._guardian.remote(self._study, self._cores, self._environment))

    def close(self) -> None:
        """Leaves the cluster; what still runs there ends."""
        self._ray.shutdown()


class RayWorker:
    """A worker on a node. Every question is asked in the background, so that a silent node holds nobody up."""

    def __init__(self, ray: Any, guardian: Any) -> None:
        self._ray = ray
        self._guardian = guardian
        self._question = guardian.poll.remote()
        self._code: int | None = None
        self._words = ""

    def poll(self) -> int | None:
        """Its exit code as of the last answer, None while it runs or waits for a node."""
        if self._code is None and self._ray.wait([self._question], timeout=0)[0]:
            self._take_answer()
        return self._code

    def stop(self) -> None:
        """Asks it to end after its running trial; asked a second time it ends at once."""
        self._guardian.stop.remote()

    def kill(self) -> None:
        """Ends it at once."""
        with suppress(self._ray.exceptions.RayError):
            self._ray.kill(self._guardian)
        if self._code is None:
            self._code = NODE_LOST

    def last_words(self) -> str:
        """The last thing that it said."""
        return self._words

    def _take_answer(self) -> None:
        try:
            self._code, self._words = self._ray.get(self._question)
        except self._ray.exceptions.RayError as error:
            self._code, self._words = NODE_LOST, f"its node was lost ({type(error).__name__})"
            return
        if self._code is None:
            self._question = self._guardian.poll.remote()


def check_can_be_reached(storage: str, nodes: Sequence[Mapping[str, Any]]) -> None:
    """Refuses a store that is a file where the living nodes are of more than one machine.

    Raises:
        StudyError: so it is.
    """
    machines = {node["NodeManagerHostname"] for node in nodes if node["Alive"]}
    if len(machines) > 1 and not storage.startswith("postgresql"):
        raise StudyError(
            f"workers on {len(machines)} machines need a store that all of them reach, but {masked(storage)} is a file "
            "of one machine; take a postgresql URL"
        )


def _knock(address: str) -> None:
    """Ray itself waits for minutes where nobody listens."""
    host, _, port = address.rpartition("/")[2].rpartition(":")
    if host and port.isdigit():
        socket.create_connection((host, int(port)), timeout=CONNECT_SECONDS).close()


def _connected(address: str) -> Any:
    for name, value in QUIET.items():
        os.environ.setdefault(name, value)
    try:
        import ray
    except ModuleNotFoundError as error:
        raise StudyError(
            "workers on a cluster need Ray, which is not installed; pip install 'ctr-automl[ray]'"
        ) from error
    try:
        _knock(address)
        ray.init(address=address, log_to_driver=False, logging_level=logging.ERROR, namespace="ctr-automl")
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise StudyError(
            f"no Ray cluster answers at {address!r} ({reason}); start one with `ray start --head`, "
            "or name another address"
        ) from error
    return ray
