"""Starts training processes from one that has loaded everything: the driver's end. Imports nothing heavy.

A program of its own takes about four seconds to import torch and to open the data, and a measured run as long again to
measure. A process that has done both, and has no thread but one, can be split into as many as are wanted in
milliseconds; each is as if it had started cold, with limits, a session and an end of its own.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from evaluators._errors import EvaluatorError
from evaluators._training.child_process import ENVIRONMENT, Started, Streams

COMMAND = (sys.executable, "-P", "-m", "evaluators._distributed.warm_child")
START_SECONDS, ANSWER_SECONDS, LOOK_SECONDS = 120.0, 10.0, 0.005
MOST_BYTES = 1 << 16

SERVER_GONE = -int(signal.SIGKILL)
"""Return code of what was split off a process that is gone: it ends with it."""


class WarmGone(EvaluatorError):
    """The warm process has ended or does not answer, which is no fault of what was to be split off it."""


class WarmStart:
    """A process that is ready to be split; a context that ends it with all that came of it.

    Raises:
        EvaluatorError: it could not get ready, or its libraries have started threads, so that it must not be split.
    """

    def __init__(self, dataset: Path) -> None:
        self._is_lost = False
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the process; `close` closes it
        with theirs:
            self._process = subprocess.Popen(
                [*COMMAND, str(theirs.fileno()), str(os.getpid())],
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(theirs.fileno(),),
                start_new_session=True,
                # numpy's library would start threads when it is imported; torch has another one
                env={**ENVIRONMENT, **os.environ, "OPENBLAS_NUM_THREADS": "1"},
            )
        try:
            self.ask({"dataset": str(dataset)}, seconds=START_SECONDS)
        except EvaluatorError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether it can be split: it runs, and has answered so far."""
        return not self._is_lost and self._process.poll() is None

    def start(self, streams: Streams) -> Started:
        """Splits a training process off, on its ends of the pipes; one that has ended where this one is gone."""
        given = (streams.questions, streams.answers, streams.output)
        try:
            return Split(self, int(self.ask({"split": True}, given)["pid"]))
        except WarmGone:
            return Unborn()

    def ask(self, message: dict[str, Any], given: tuple[int, ...] = (), *, seconds: float = ANSWER_SECONDS) -> Any:
        """Sends a message and file descriptors, and gives the answer.

        Raises:
            WarmGone: it has ended, or does not answer in time.
            EvaluatorError: it tells a mistake.
        """
        try:
            received = self._answered(json.dumps(message).encode(), given, seconds)
        except WarmGone:
            self._is_lost = True
            raise
        answer = json.loads(received)
        if "error" in answer:
            raise EvaluatorError(answer["error"])
        return answer

    def _answered(self, message: bytes, given: tuple[int, ...], seconds: float) -> bytes:
        try:
            socket.send_fds(self._link, [message], given)
            readable, _, _ = select.select([self._link], [], [], seconds)
            received = self._link.recv(MOST_BYTES) if readable else b""
        except OSError as error:
            raise WarmGone(f"the warm process must answer, but is gone: {error}") from error
        if not readable:
            raise WarmGone(
                f"the warm process must answer within {seconds:g} seconds, but has not; start cold with 'warm: false'"
            )
        if not received:
            raise WarmGone("the warm process must answer, but has ended; start cold with 'warm: false'")
        return received

    def close(self) -> None:
        """Ends it and all that was split off; may be called twice."""
        self._link.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(ANSWER_SECONDS)
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        self._output.close()


class Unborn:
    """What could not be split off: a process that has ended at once."""

    pid = 0

    def poll(self) -> int:
        """As if it had been killed."""
        return SERVER_GONE

    def wait(self, timeout: float | None = None) -> int:
        """At once."""
        del timeout
        return SERVER_GONE

    def kill(self) -> None:
        """There is nothing to kill."""


class Split:
    """A process that was split off; its parent waits for its end, and tells it."""

    def __init__(self, server: WarmStart, pid: int) -> None:
        self._server, self.pid = server, pid
        self._returncode: int | None = None

    def poll(self) -> int | None:
        """The return code; None as long as it runs."""
        if self._returncode is None:
            try:
                self._returncode = self._server.ask({"poll": self.pid})["returncode"]
            except EvaluatorError:
                self._returncode = SERVER_GONE
        return self._returncode

    def wait(self, timeout: float | None = None) -> int:
        """The return code, once there is one.

        Raises:
            subprocess.TimeoutExpired: not in time.
        """
        ends_at = None if timeout is None else time.monotonic() + timeout
        while (found := self.poll()) is None:
            if ends_at is not None and time.monotonic() > ends_at:
                raise subprocess.TimeoutExpired("a training process", timeout or 0.0)
            time.sleep(LOOK_SECONDS)
        return found

    def kill(self) -> None:
        """Kills it with all that it has started; nothing where it has ended."""
        with suppress(EvaluatorError):
            self._server.ask({"kill": self.pid})
