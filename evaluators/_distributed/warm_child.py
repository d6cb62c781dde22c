"""The process that is split into training processes (`warm_start` tells why).

    python -m evaluators._distributed.warm_child LINK_FD DRIVER_PID

The first message names the data, which is opened; then there must be one thread. Each later one is JSON: `{"split":
true}` with three file descriptors (questions, answers, output), answered by a `pid`; `{"poll": pid}`, answered by its
`returncode` or null; `{"kill": pid}`. At the end of the link, or once the driver is gone, so is all of it.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evaluators._distributed.child import Loaded
from evaluators._distributed.child import main as train
from evaluators._errors import EvaluatorError
from evaluators._training.child import WATCH_SECONDS, warm_up

MOST_BYTES, MOST_GIVEN = 1 << 16, 3
THREADS = Path("/proc/self/task")


def main(arguments: list[str]) -> None:
    """Serves the driver until it goes away."""
    link, driver = socket.socket(fileno=int(arguments[0])), int(arguments[1])
    os.set_inheritable(link.fileno(), False)
    torch.set_num_threads(1)  # the first parallel operator of a thread pool must be that of a split process
    try:
        loaded = _ready(json.loads(link.recv(MOST_BYTES))["dataset"])
    except EvaluatorError as error:
        link.send(json.dumps({"error": str(error)}).encode())
        return
    link.send(json.dumps({"ready": True}).encode())
    Splitting(link, driver, loaded).serve()


def _ready(source: str) -> Loaded:
    """Everything that trainings have in common.

    Raises:
        EvaluatorError: the data cannot be read, or a library has started threads.
    """
    loaded = Loaded.of(source, torch.device("cpu"))
    np.random.default_rng(0).permutation(2)  # imports what it needs
    warm_up()
    threads = len(list(THREADS.iterdir()))
    if threads > 1:
        raise EvaluatorError(
            f"a process that is split must have one thread, but a library has started {threads - 1} more; "
            "start cold with 'warm: false'"
        )
    return loaded


class Splitting:
    """Who was split off, and how they ended."""

    def __init__(self, link: socket.socket, driver: int, loaded: Loaded) -> None:
        self._link, self._driver, self._loaded = link, driver, loaded
        self._running: set[int] = set()
        self._ended: dict[int, int] = {}

    def serve(self) -> None:
        """Answers until the driver is gone, then kills who is left."""
        while os.getppid() == self._driver:
            readable, _, _ = select.select([self._link], [], [], WATCH_SECONDS)
            self._reap()
            if readable:
                message, given, _, _ = socket.recv_fds(self._link, MOST_BYTES, MOST_GIVEN)
                if not message:
                    break
                self._link.send(json.dumps(self._answer(json.loads(message), given)).encode())
        for pid in self._running:
            _kill(pid)

    def _answer(self, message: dict[str, Any], given: list[int]) -> dict[str, Any]:
        if "split" in message:
            return {"pid": self._split(given)}
        if "kill" in message:
            if message["kill"] in self._running:
                _kill(message["kill"])
            return {}
        return {"returncode": self._ended.get(message["poll"])}

    def _split(self, given: list[int]) -> int:
        server = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._link.close()
            _become(given, server, self._loaded)
        for one in given:
            os.close(one)
        self._running.add(pid)
        return pid

    def _reap(self) -> None:
        """Takes note of who has ended, so that nobody stays behind as a zombie."""
        for pid in tuple(self._running):
            found, status = os.waitpid(pid, os.WNOHANG)
            if found:
                self._running.discard(pid)
                self._ended[pid] = os.waitstatus_to_exitcode(status)


def _become(given: list[int], server: int, loaded: Loaded) -> None:
    """A training process, from here to its end: never returns."""
    code = 1
    try:
        os.setsid()
        questions, answers, output = given
        for own, standard in ((questions, 0), (output, 1), (output, 2)):
            os.dup2(own, standard)
        train([str(answers), str(server)], loaded)
        code = 0
    except BaseException:  # noqa: BLE001  # as Python itself ends a program
        traceback.print_exc()
    finally:
        with suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)  # what was registered to run at the end belongs to the server


def _kill(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:  # it has no session of its own yet
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
