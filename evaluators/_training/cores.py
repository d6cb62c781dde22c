"""How many cores a training may use. Imports nothing heavy, so that a driver can ask too."""

from __future__ import annotations

import os
import sys

SHARING = "AUTOML_WORKERS"
"""Name in the environment: how many workers share this machine."""


def usable_cores() -> int:
    """Cores that this process may run on, at least one."""
    if sys.platform == "linux":  # nowhere else can a process be kept to some cores and tell
        return max(1, len(os.sched_getaffinity(0)))
    return os.cpu_count() or 1


def cores_of_each(workers: int | None = None) -> int:
    """Cores for each of so many workers of this machine, at least one; by default as many as the environment says."""
    if workers is None:
        said = os.environ.get(SHARING, "")
        workers = int(said) if said.isdigit() else 1
    return max(1, usable_cores() // max(workers, 1))
