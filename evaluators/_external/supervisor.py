"""Runs one program for a driver and leaves nothing of it alive; a script that is started by its path.

Standard input brings one line of JSON, the task (`argv`, `folder`, `stdout`, `stderr`, `seconds`, `memory_bytes`,
`log_bytes`). Standard output gets the program's process id, then how it ended, a line each: `{"pid": 7}`,
`{"returncode": 0}`, or `{"late": true}` where the time was up, or `{"error": ...}` where it could not start.

The end of standard input means that the driver is gone: the program is killed then. Whatever it started is
killed with it, also what left its process group: on Linux the supervisor adopts orphans (prctl(2),
PR_SET_CHILD_SUBREAPER), so that they stay its descendants.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import json
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil

WATCH_SECONDS = 1.0
TAIL_BYTES = 1 << 16
_PIECE = 1 << 16
_ROUNDS = 100
_PR_SET_CHILD_SUBREAPER = 36


class Log:
    """A file with the first `limit` bytes of a stream and its last ones, so that no output fills the disk."""

    def __init__(self, path: Path, limit: int) -> None:
        self._file = path.open("wb", buffering=0)
        self._room = limit
        self._late_bytes = 0
        self._tail = b""

    def write(self, piece: bytes) -> None:
        """Takes the next piece of the stream."""
        now, later = piece[: self._room], piece[self._room :]
        self._room -= len(now)
        self._put(now)
        self._late_bytes += len(later)
        self._tail = (self._tail + later)[-TAIL_BYTES:]

    def close(self) -> None:
        """Adds the end of a stream that was longer than the limit."""
        left_out = self._late_bytes - len(self._tail)
        if left_out:
            self._put(f"\n[{left_out} bytes are left out here]\n".encode())
        self._put(self._tail)
        self._file.close()

    def _put(self, piece: bytes) -> None:
        with contextlib.suppress(OSError):  # a full disk must not stop the reading, or the program would hang
            self._file.write(piece)


def main() -> None:
    """Serves one task."""
    line = sys.stdin.buffer.readline()
    if not line:
        return
    task = json.loads(line)
    driver = os.getppid()
    _adopt_orphans()
    alarm = _alarm()
    try:
        program = _started(task)
    except (OSError, subprocess.SubprocessError) as error:
        _answer({"error": str(error)})
        return
    _answer({"pid": program.pid})
    logs = {name: Log(Path(task[name]), task["log_bytes"]) for name in ("stdout", "stderr")}
    end = _watch(program, logs, alarm=alarm, deadline=time.monotonic() + task["seconds"], driver=driver)
    _kill(program)
    for name, log in logs.items():
        _drain(program.stdout if name == "stdout" else program.stderr, log)
        log.close()
    _answer({"returncode": program.returncode} if end == "ended" else {end: True})


def _started(task: dict[str, Any]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        task["argv"],
        cwd=task["folder"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=functools.partial(_limit_memory, task["memory_bytes"]) if task["memory_bytes"] else None,
    )


def _limit_memory(limit: int) -> None:
    # Not RLIMIT_AS: CUDA and torch reserve far more addresses than they ever use.
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(
        resource.RLIMIT_DATA, (limit, limit) if hard == resource.RLIM_INFINITY else (min(limit, hard),) * 2
    )


def _watch(
    program: subprocess.Popen[bytes], logs: dict[str, Log], *, alarm: socket.socket, deadline: float, driver: int
) -> str:
    """Copies output until the program has 'ended', is 'late', or is 'abandoned' by the driver."""
    with selectors.DefaultSelector() as selector:
        selector.register(0, selectors.EVENT_READ)
        selector.register(alarm, selectors.EVENT_READ)
        assert program.stdout is not None  # pipes were asked for
        assert program.stderr is not None
        selector.register(program.stdout, selectors.EVENT_READ, logs["stdout"])
        selector.register(program.stderr, selectors.EVENT_READ, logs["stderr"])
        while program.poll() is None:
            left = deadline - time.monotonic()
            if left <= 0:
                return "late"
            if os.getppid() != driver:
                return "abandoned"
            for key, _ in selector.select(min(left, WATCH_SECONDS)):
                if key.fd == 0:
                    return "abandoned"
                piece = os.read(key.fd, _PIECE)
                if key.data is not None and piece:
                    key.data.write(piece)
                elif key.data is not None:
                    selector.unregister(key.fileobj)
    return "ended"


def _alarm() -> socket.socket:
    """A socket that becomes readable when a child has ended."""
    reader, writer = socket.socketpair()
    reader.setblocking(False)
    writer.setblocking(False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(writer.detach(), warn_on_full_buffer=False)
    return reader


def _adopt_orphans() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _kill(program: subprocess.Popen[bytes]) -> None:
    """Ends the program, its group and every descendant, also those that are born meanwhile."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(program.pid, signal.SIGKILL)
    for _ in range(_ROUNDS):
        living = [one for one in psutil.Process().children(recursive=True) if _lives(one)]
        if not living:
            break
        for one in living:
            with contextlib.suppress(psutil.Error):
                one.kill()
        psutil.wait_procs(living, timeout=0.1)
    program.wait()


def _lives(process: psutil.Process) -> bool:
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.Error:
        return False


def _drain(stream: Any, log: Log) -> None:
    """Takes what still lies in the pipe; its writers are dead."""
    os.set_blocking(stream.fileno(), False)
    with contextlib.suppress(BlockingIOError):
        while piece := os.read(stream.fileno(), _PIECE):
            log.write(piece)


def _answer(content: dict[str, object]) -> None:
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps(content) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
