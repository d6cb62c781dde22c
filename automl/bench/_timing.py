"""Times the calls of an object's methods without touching the object."""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


class Timed:
    """Stands in for `target` and remembers each call: its method and its seconds."""

    def __init__(self, target: object) -> None:
        self._target = target
        self.calls: list[tuple[str, float]] = []

    def seconds(self, name: str) -> list[float]:
        """Seconds of each call of one method, in order."""
        return [spent for method, spent in self.calls if method == name]

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._target, name)
        return self._timed(name, value) if callable(value) else value

    def _timed(self, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            started = time.perf_counter()
            try:
                return method(*args, **kwargs)
            finally:
                self.calls.append((name, time.perf_counter() - started))

        return call


def timed(action: Callable[[], object], *, repeats: int = 5) -> float:
    """Median seconds of an action."""
    seconds = []
    for _ in range(repeats):
        started = time.perf_counter()
        action()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds))


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    return {
        "processor": _processor(),
        "cores": str(_cores()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def _cores() -> int:
    import os

    return len(os.sched_getaffinity(0)) if platform.system() == "Linux" else os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.processor()
    )
