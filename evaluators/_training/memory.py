"""Peak memory of one trial: of the process on a CPU, of the accelerator's allocator on CUDA.

Neither subtracts anything: the process holds Python, torch, mapped data and what its allocator kept from
earlier trials; CUDA counts live tensors alone, not what its allocator keeps, so earlier trials are not in it.
On Linux the kernel's high-water mark is reset by writing 5 to /proc/self/clear_refs (proc(5)); where that
is refused, or elsewhere, the mark of the whole process life stands in, which can only be too high.
"""

from __future__ import annotations

import resource
import sys
from contextlib import suppress
from pathlib import Path

import torch

_CLEAR = Path("/proc/self/clear_refs")
_STATUS = Path("/proc/self/status")


def reset_peak(device: torch.device) -> None:
    """Starts a new measurement."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        return
    with suppress(OSError):  # a sandbox may refuse; `peak_bytes` then covers the process so far
        _CLEAR.write_text("5")


def peak_bytes(device: torch.device) -> int:
    """Most bytes in use since `reset_peak`."""
    if device.type == "cuda":
        return int(torch.cuda.max_memory_allocated(device))
    marked = _high_water_mark()
    if marked is not None:
        return marked
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # kilobytes everywhere but there


def _high_water_mark() -> int | None:
    try:
        lines = _STATUS.read_text().splitlines()
    except OSError:
        return None
    for line in lines:
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    return None
