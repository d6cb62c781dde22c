"""Preparing and reading large tables: memory and time over the number of rows, each size in processes of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from automl._errors import AutomlError
from automl._files import write_text
from automl.bench._criteo_file import write_criteo_file
from automl.bench._timing import machine

LOOK_SECONDS = 0.05
MIB = 1 << 20
TRAINED_ROWS = 1 << 21


@dataclass(frozen=True)
class Watched:
    """What a command took. Memory is the most that it and its children had at once: all, and anonymous alone."""

    peak_bytes: int
    anonymous_bytes: int
    cpu_seconds: float
    wall_seconds: float


def preparation(
    sizes: Sequence[int], *, kept: Path | None = None, folder: Path | None = None, seed: int = 1
) -> dict[str, Any]:
    """For each number of rows: writes a file in Criteo's format, prepares it, trains a small model on the newest rows.

    Figures that `kept` has of this seed are not taken again, and each size is added to it as soon as it is done;
    what was generated, in `folder`, is removed after each size.

    Raises:
        AutomlError: a command failed, or `kept` holds figures of another seed.
    """
    found = _kept(kept, seed)
    for rows in sizes:
        if str(rows) not in found["rows"]:
            found["rows"][str(rows)] = _measured(rows, folder, seed)
            found["rows"] = dict(sorted(found["rows"].items(), key=lambda one: int(one[0])))
            if kept is not None:
                write_text(kept, json.dumps(found, indent=2) + "\n")
    return found


def watched(command: Sequence[str], *, clock: Callable[[], float] = time.perf_counter) -> Watched:
    """Runs a command and looks at its memory until it ends; the processor time is what the system accounts to it.

    Raises:
        AutomlError: it failed.
    """
    started, peak, anonymous = clock(), 0, 0
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    while True:
        ended, status, usage = os.wait4(running.pid, os.WNOHANG)
        if ended:
            break
        # The high-water mark sees what falls between two looks; the system's own account at the end would count in
        # what this process held when it started the command.
        peak = max(peak, _resident(running.pid), _marked(running.pid, "VmHWM"))
        anonymous = max(anonymous, sum(_marked(one.pid, "RssAnon") for one in _tree(running.pid)))
        time.sleep(LOOK_SECONDS)
    running.returncode = os.waitstatus_to_exitcode(status)
    if running.returncode:
        raise AutomlError(
            f"a measured command must succeed, but {' '.join(command)} ended with {running.returncode}; "
            "run it alone to see why"
        )
    return Watched(peak, anonymous, usage.ru_utime + usage.ru_stime, clock() - started)


def _kept(path: Path | None, seed: int) -> dict[str, Any]:
    if path is None or not path.exists():
        return {"seed": seed, "machine": machine(), "trained_rows": TRAINED_ROWS, "rows": {}}
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if found.get("seed") != seed:
        raise AutomlError(
            f"figures of one file have one seed, but {path} is of {found.get('seed')} and {seed} was asked for; "
            "name another file"
        )
    return found


def _measured(rows: int, folder: Path | None, seed: int) -> dict[str, Any]:
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="preparation-", dir=folder)))
        source, out = place / "train.txt", place / "prepared"
        write_criteo_file(source, rows, seed=seed)
        size = source.stat().st_size
        command = (sys.executable, "-m", "automl", "data", "prepare", "criteo", "--from", str(source))
        prepared = watched((*command, "--out", str(out)))
        source.unlink()
        trained = watched((sys.executable, "-m", "automl.bench._one_pass", str(out), str(TRAINED_ROWS)))
        written = sum(file.stat().st_size for file in out.rglob("*") if file.is_file())
        fields = json.loads((out / "schema.json").read_text(encoding="utf-8"))["fields"]
    return {
        "source_mib": round(size / MIB),
        "prepared_mib": round(written / MIB),
        "ids": sum(field.get("vocabulary_size", 0) for field in fields),
        "prepare": {**_rounded(prepared), "cpu_seconds_per_million_rows": round(1e6 * prepared.cpu_seconds / rows, 2)},
        "train": _rounded(trained),
    }


def _rounded(found: Watched) -> dict[str, float]:
    return {
        "peak_mib": round(found.peak_bytes / MIB),
        "anonymous_peak_mib": round(found.anonymous_bytes / MIB),
        "cpu_seconds": round(found.cpu_seconds, 1),
        "wall_seconds": round(found.wall_seconds, 1),
    }


def _resident(pid: int) -> int:
    return sum(_resident_of(one) for one in _tree(pid))


def _marked(pid: int, mark: str) -> int:
    """What Linux accounts to a process: VmHWM, the most it ever had, or RssAnon, what no file stands behind; else 0."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{mark}:")), 0)


def _tree(pid: int) -> list[psutil.Process]:
    try:
        top = psutil.Process(pid)
        return [top, *top.children(recursive=True)]
    except psutil.Error:
        return []


def _resident_of(running: psutil.Process) -> int:
    try:
        return int(running.memory_info().rss)
    except psutil.Error:
        return 0
