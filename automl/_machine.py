"""What this machine gives a search: cores, memory and disk, with the limits of its control group."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil

from evaluators._training.cores import usable_cores

ROOT = Path("/")


@dataclass(frozen=True)
class Cores:
    """Cores of the machine, those that this process may run on, and how many its control group lets it use at once."""

    present: int
    usable: int
    limit: float | None


@dataclass(frozen=True)
class Memory:
    """Bytes: of the machine, what is free or can be freed, and the limit of the control group."""

    total: int
    available: int
    limit: int | None

    @property
    def most(self) -> int:
        """What this process and its children can have at most."""
        return min(self.total, self.limit or self.total)


def cores(root: Path = ROOT) -> Cores:
    """The cores (Linux tells which of them this process may use, and its share of them)."""
    return Cores(os.cpu_count() or 1, usable_cores(), _core_limit(root))


def memory(root: Path = ROOT) -> Memory:
    """The memory; the tightest limit of the control groups that this process is in."""
    seen = psutil.virtual_memory()
    limits = [_bytes(group / name) for group in _groups(root) for name in ("memory.max", "memory.limit_in_bytes")]
    known = [limit for limit in limits if limit is not None and limit < seen.total]
    return Memory(seen.total, seen.available, min(known, default=None))


def free_disk(folder: Path) -> int:
    """Free bytes where the folder is, or would be."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return shutil.disk_usage(folder).free


def load_per_core() -> float:
    """Runnable processes of the last minute over the machine's cores; 0 where the system does not tell."""
    return psutil.getloadavg()[0] / (os.cpu_count() or 1)


def readable(size: float) -> str:
    """A number of bytes for people.

    >>> readable(1536), readable(3 * 2**30)
    ('1.5 KiB', '3.0 GiB')
    """
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(size) < 1024:
            return f"{size:.0f} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    return f"{size:.1f} TiB"


def _core_limit(root: Path) -> float | None:
    """Quota over period of the tightest control group (cgroup v2, cpu.max)."""
    shares = []
    for group in _groups(root):
        quota, _, period = _text(group / "cpu.max").partition(" ")
        if quota.isdigit() and period.strip().isdigit():
            shares.append(int(quota) / int(period))
    return min(shares, default=None)


def _groups(root: Path) -> Iterator[Path]:
    """Folders of our control group and of all above it."""
    top = root / "sys/fs/cgroup"
    for line in _text(root / "proc/self/cgroup").splitlines():
        _, kinds, place = [*line.split(":", 2), "", ""][:3]
        start = top if not kinds else top / kinds.split(",")[0]
        own = start / place.strip("/")
        yield from (own, *(parent for parent in own.parents if parent == start or start in parent.parents))


def _bytes(path: Path) -> int | None:
    text = _text(path).strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
