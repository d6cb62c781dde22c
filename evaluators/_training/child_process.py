"""The driver's end of the training process: starts it, asks it, ends it. Imports nothing heavy."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from evaluators._errors import EvaluatorError, ProtocolError

# -P keeps the working directory off the path: a user's file must not shadow our packages.
COMMAND = (sys.executable, "-P", "-m", "evaluators._training.child")
FAREWELL_SECONDS = 5.0
TAIL_BYTES = 4096
ENVIRONMENT = MappingProxyType(
    {
        # Measured on two cores beside one busy process: a step took 10 to 20 times as long with libgomp's
        # default of 300,000 spins at each barrier; with 1,000 it is as fast alone and suffers little.
        "GOMP_SPINCOUNT": "1000",
        # Activations of one step are those of the next: given back to the system after each, they cost some 700 page
        # faults and 2 ms of a step of 20. So freed memory is kept.
        "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
        "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
        "MALLOC_TOP_PAD_": str(16 << 20),
        "CUBLAS_WORKSPACE_CONFIG": ":4096:8",  # equal sums in equal order on CUDA
    }
)
"""Set for the child where the user has not set it."""


class ChildEnded(EvaluatorError):
    """The process ended while it owed an answer. `returncode` as in subprocess, `said` its last line."""

    def __init__(self, returncode: int, said: str) -> None:
        super().__init__(
            f"the training process must answer, but it ended with code {returncode}: {said or 'no output'}"
        )
        self.returncode = returncode
        self.said = said


class ChildLate(EvaluatorError):
    """No answer within the time limit."""


class ChildProcess:
    """One running child. It has its own session, so that the terminal's Ctrl-C does not reach it."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        reader, writer = os.pipe()
        self._answers = reader
        self._buffer = b""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the child; `end` closes it
        try:
            self._process = subprocess.Popen(
                [*command, str(writer), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=self._output,
                stderr=self._output,
                pass_fds=(writer,),
                start_new_session=True,
                env={**ENVIRONMENT, **os.environ},
            )
        finally:
            os.close(writer)

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """Whether the process still runs."""
        return self._process.poll() is None

    def ask(self, message: Mapping[str, Any], *, seconds: float) -> dict[str, Any]:
        """Sends one message and waits for its answer.

        Raises:
            ChildEnded: the process ended instead.
            ChildLate: `seconds` passed; the process still runs.
            ProtocolError: the answer is no JSON object.
        """
        self.say(message)
        return self.hear(seconds=seconds)

    def say(self, message: Mapping[str, Any]) -> None:
        """Sends one message."""
        self._forget_output()
        assert self._process.stdin is not None  # a pipe was asked for
        with suppress(BrokenPipeError):  # the end of the answers tells the rest
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()

    def hear(self, *, seconds: float) -> dict[str, Any]:
        """Waits for the next answer; raises as `ask` does."""
        line = self._line(time.monotonic() + seconds)
        try:
            content = json.loads(line)
        except ValueError as error:
            raise ProtocolError(f"the training process must answer in JSON, but said {line[:200]!r}") from error
        if not isinstance(content, dict):
            raise ProtocolError(f"the training process must answer with an object, but said {line[:200]!r}")
        return content

    def end(self, *, patience: float = 0.0) -> None:
        """Ends the process: politely where `patience` seconds are left for it, else at once."""
        if self._process.stdin is not None:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        if patience > 0.0:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        if self.is_alive:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._answers >= 0:
            os.close(self._answers)
            self._answers = -1
        self._output.close()

    def _line(self, deadline: float) -> bytes:
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([self._answers], [], [], max(0.0, deadline - time.monotonic()))
            if not readable:
                raise ChildLate("the training process must answer in time, but has not")
            received = os.read(self._answers, 1 << 16)
            if not received:
                raise ChildEnded(self._returncode(), self._last_words())
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _returncode(self) -> int:
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(FAREWELL_SECONDS)
        os.killpg(self._process.pid, signal.SIGKILL)
        return self._process.wait()

    def _forget_output(self) -> None:
        self._output.seek(0)
        self._output.truncate()

    def _last_words(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - TAIL_BYTES))
        lines = self._output.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
