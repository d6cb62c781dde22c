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
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Protocol

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


@dataclass(frozen=True)
class Streams:
    """The child's ends, as file descriptors: where it reads questions, writes answers, and prints."""

    questions: int
    answers: int
    output: int


class Started(Protocol):
    """A process that runs or has ended; `poll` and `wait` are those of `subprocess.Popen`."""

    @property
    def pid(self) -> int:
        """Process id."""
        ...

    def poll(self) -> int | None:
        """The return code; None as long as it runs."""
        ...

    def wait(self, timeout: float | None = None) -> int:
        """The return code, once there is one."""
        ...

    def kill(self) -> None:
        """Kills it with all that it has started; nothing where it has ended."""
        ...


Start = Callable[[Streams], Started]
"""Starts a child on its ends of the pipes; the caller closes its copies of them afterwards."""


def command_start(command: Sequence[str]) -> Start:
    """Starts a program of its own, with a session of its own: the terminal's Ctrl-C does not reach it."""
    return lambda streams: _Program(command, streams)


class _Program:
    def __init__(self, command: Sequence[str], streams: Streams) -> None:
        self._process = subprocess.Popen(
            [*command, str(streams.answers), str(os.getpid())],
            stdin=streams.questions,
            stdout=streams.output,
            stderr=streams.output,
            pass_fds=(streams.answers,),
            start_new_session=True,
            env={**ENVIRONMENT, **os.environ},
        )
        self.pid = self._process.pid
        self.poll, self.wait = self._process.poll, self._process.wait

    def kill(self) -> None:
        if self.poll() is None:
            with suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)


class ChildProcess:
    """One running child and the pipes to it."""

    def __init__(self, command: Sequence[str] = COMMAND, *, start: Start | None = None) -> None:
        """Starts the program `command`, or what `start` starts."""
        self._answers, answers = os.pipe()
        questions, asking = os.pipe()
        self._questions = os.fdopen(asking, "wb")
        self._buffer = b""
        self._output = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as the child; `end` closes it
        try:
            streams = Streams(questions, answers, self._output.fileno())
            self._process = (start or command_start(command))(streams)
        finally:
            os.close(answers)
            os.close(questions)

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
        with suppress(BrokenPipeError):  # the end of the answers tells the rest
            self._questions.write(json.dumps(message).encode() + b"\n")
            self._questions.flush()

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
        with suppress(BrokenPipeError):
            self._questions.close()
        if patience > 0.0:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
        self._process.kill()
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
        self._process.kill()
        return self._process.wait()

    def _forget_output(self) -> None:
        self._output.seek(0)
        self._output.truncate()

    def _last_words(self) -> str:
        size = self._output.seek(0, os.SEEK_END)
        self._output.seek(max(0, size - TAIL_BYTES))
        lines = self._output.read().decode(errors="replace").split("\n")
        return next((line.strip() for line in reversed(lines) if line.strip()), "")
