"""Programs of the user's own that misbehave: what the evaluator `external` is given in the matrix.

Each trains nothing. A candidate whose training settings say `guilty` meets the fault, every other one gets an NE that
follows from its fingerprint.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import psutil

_FRAME = """import json, os, signal, subprocess, sys, time
candidate, metrics, marker = sys.argv[1:4]
document = json.load(open(candidate))
if document["training"].get("guilty"):
{fault}
json.dump({{"ne": 0.8 + int(document["fingerprint"][-4:], 16) / 1e6}}, open(metrics, "w"))
"""
_HANGS = """    grandchild = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(3600)"
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    for own_session in (True, False):
        subprocess.Popen([sys.executable, "-c", grandchild, marker], start_new_session=own_session)
    time.sleep(3600)
"""
_KILLS_ITS_WORKER = """    def parent(pid):
        return int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
    def words(pid):
        return open(f"/proc/{pid}/cmdline").read().split(chr(0))
    pid = os.getppid()
    while "automl" not in words(pid):
        pid = parent(pid)
    os.kill(pid, signal.SIGKILL)
    time.sleep(3600)
"""


def hanging_trainer(folder: Path) -> dict[str, Any]:
    """One that ignores SIGTERM, as do two grandchildren, of which one has left its session."""
    return _evaluator(folder / "hangs.py", _HANGS)


def deadly_trainer(folder: Path) -> dict[str, Any]:
    """One that kills the worker that it trains for."""
    return _evaluator(folder / "kills.py", _KILLS_ITS_WORKER)


def left_of(folder: Path) -> list[int]:
    """Processes that a trainer of this folder started and that are still there."""
    found = []
    for one in psutil.process_iter(["cmdline"]):
        words = one.info["cmdline"] or []
        if str(folder / "marker") in words:
            found.append(one.pid)
    return found


def _evaluator(file: Path, fault: str) -> dict[str, Any]:
    file.write_text(_FRAME.format(fault=fault), encoding="utf-8")
    words = [sys.executable, str(file), "{candidate}", "{metrics}", str(file.parent / "marker")]
    return {"name": "external", "command": words, "working_folder": str(file.parent)}
