"""How much of a process's memory is what: its own, or pages of files that the system may take back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_PROCESS = Path("/proc/self")
PARTS = ("train", "valid")


@dataclass(frozen=True)
class Residence:
    """Bytes of this process that are in memory. `data` are pages of the prepared data, `files` all pages of files."""

    files: int
    data: int


def residence(folder: Path, *, process: Path = _PROCESS) -> Residence:
    """What is in memory now; zeros where the system does not tell."""
    return Residence(_status(process, "RssFile:"), sum(_mapped(process, folder)))


def data_bytes(folder: Path, parts: Sequence[str] = PARTS) -> dict[str, int]:
    """Bytes of the arrays of each part that training reads."""
    return {
        part: sum(file.stat().st_size for file in (folder / part).glob("*.npy") if file.stem != "time")
        for part in parts
    }


def _status(process: Path, name: str) -> int:
    for line in _lines(process / "status"):
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    return 0


def _mapped(process: Path, folder: Path) -> Iterator[int]:
    """Resident bytes of each mapping of a file in the folder (proc(5), smaps)."""
    is_ours = False
    for line in _lines(process / "smaps"):
        key, _, rest = line.partition(" ")
        if not key.endswith(":"):  # address perms offset device inode path
            is_ours = line.split(maxsplit=5)[-1].startswith(f"{folder}/")
        elif is_ours and key == "Rss:":
            yield int(rest.split()[0]) * 1024


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
