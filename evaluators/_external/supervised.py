"""The driver's end of a supervised program: starts it, waits for it, ends it with all that it started."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from evaluators._errors import EvaluatorError

COMMAND = (sys.executable, "-P", str(Path(__file__).with_name("supervisor.py")))
FAREWELL_SECONDS = 10.0
"""Time for the supervisor to kill what it watches; after that it is killed itself."""

GRACE_SECONDS = 30.0
"""How much longer than the program's own time limit its supervisor may be silent."""

LOG_BYTES = 16 << 20


@dataclass(frozen=True)
class Task:
    """A program to run: words without a shell, its folder, where its output goes, and its limits."""

    argv: Sequence[str]
    folder: Path
    environment: Mapping[str, str]
    logs: Path
    seconds: float
    memory_bytes: int | None = None

    @property
    def stdout(self) -> Path:
        """File of what the program prints."""
        return self.logs / "stdout.log"

    @property
    def stderr(self) -> Path:
        """File of what the program complains."""
        return self.logs / "stderr.log"


@dataclass(frozen=True)
class End:
    """How a program ended: `returncode` as in subprocess, None where it was killed because its time was up."""

    returncode: int | None


class Supervised:
    """One running program and its supervisor, which lives in a session of its own: Ctrl-C does not reach it."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._buffer = b""
        self._program_pid: int | None = None
        self._supervisor = subprocess.Popen(
            COMMAND,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=dict(task.environment),
        )
        self._send()

    @property
    def program_pid(self) -> int | None:
        """Process id of the program, None before `wait` has heard of it."""
        return self._program_pid

    def wait(self) -> End:
        """How the program ended; it and all its descendants are gone then.

        Raises:
            EvaluatorError: it could not be started.
        """
        deadline = time.monotonic() + self._task.seconds + GRACE_SECONDS
        while (answer := self._answer(deadline)) is not None:
            if "pid" in answer:
                self._program_pid = int(str(answer["pid"]))
            elif "error" in answer:
                raise EvaluatorError(f"the trainer {self._task.argv[0]} cannot be started: {answer['error']}")
            else:
                return End(None if "late" in answer else int(str(answer.get("returncode", -signal.SIGKILL))))
        was_silent = self._supervisor.poll() is None and time.monotonic() >= deadline
        self.end()
        return End(None if was_silent else -signal.SIGKILL)  # only a kill leaves a supervisor without an answer

    def end(self) -> None:
        """Kills the program with all that it started; may be called twice, also from a signal handler."""
        assert self._supervisor.stdin is not None  # a pipe was asked for
        with suppress(OSError):
            self._supervisor.stdin.close()
        try:
            self._supervisor.wait(FAREWELL_SECONDS)
        except subprocess.TimeoutExpired:
            self._supervisor.kill()
            self._supervisor.wait()
        if self._supervisor.returncode != 0 and self._program_pid is not None:
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._program_pid, signal.SIGKILL)

    def close(self) -> None:
        """Ends what still runs and frees the pipes; may be called twice."""
        self.end()
        assert self._supervisor.stdout is not None  # a pipe was asked for
        self._supervisor.stdout.close()

    def _send(self) -> None:
        assert self._supervisor.stdin is not None  # a pipe was asked for
        task = {
            "argv": list(self._task.argv),
            "folder": str(self._task.folder),
            "stdout": str(self._task.stdout),
            "stderr": str(self._task.stderr),
            "seconds": self._task.seconds,
            "memory_bytes": self._task.memory_bytes,
            "log_bytes": LOG_BYTES,
        }
        with suppress(BrokenPipeError):  # the end of the answers tells the rest
            self._supervisor.stdin.write(json.dumps(task).encode() + b"\n")
            self._supervisor.stdin.flush()

    def _answer(self, deadline: float) -> dict[str, object] | None:
        """The next line, None where there is none in time or the supervisor is gone."""
        assert self._supervisor.stdout is not None  # a pipe was asked for
        answers = self._supervisor.stdout.fileno()
        while b"\n" not in self._buffer:
            readable, _, _ = select.select([answers], [], [], max(0.0, deadline - time.monotonic()))
            received = os.read(answers, 1 << 16) if readable else b""
            if not received:
                return None
            self._buffer += received
        line, _, self._buffer = self._buffer.partition(b"\n")
        content: dict[str, object] = json.loads(line)
        return content
