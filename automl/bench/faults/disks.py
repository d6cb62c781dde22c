"""Disks that fill up and stores that may only be read, made with what this machine permits."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from automl.bench.faults.plan import CannotInject


@contextmanager
def small_disk(folder: Path, *, megabytes: int) -> Iterator[Path]:
    """A file system in memory of that size, empty at first, gone at the end.

    Raises:
        CannotInject: this machine does not let us mount one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if os.path.ismount(folder):  # an earlier run was killed
        _command("umount", "--lazy", str(folder))
    _command("mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        _command("umount", "--lazy", str(folder))


@contextmanager
def filled(folder: Path) -> Iterator[None]:
    """No byte is left on the disk of `folder` for as long as this lasts."""
    ballast = folder / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            for size in (1 << 16, 1 << 12, 1):
                with suppress(OSError):
                    while file.write(b"\0" * size):
                        pass
        yield
    finally:
        ballast.unlink(missing_ok=True)


@contextmanager
def read_only(folder: Path) -> Iterator[str]:
    """Nothing in `folder` can be written, not even by root; says how. Nobody may be writing there when it begins.

    Raises:
        CannotInject: root may write everywhere, and this machine does not let us mount.
    """
    if os.geteuid() == 0:
        _command("mount", "--bind", str(folder), str(folder))
        try:
            _command("mount", "-o", "remount,bind,ro", str(folder))
            yield "a read-only mount"
        finally:
            _command("umount", "--lazy", str(folder))
        return
    kept = [(path, path.stat().st_mode) for path in (*folder.iterdir(), folder)]
    try:
        for path, mode in kept:
            path.chmod(mode & ~0o222)
        yield "permissions"
    finally:
        for path, mode in reversed(kept):
            path.chmod(mode)


@contextmanager
def immutable(files: Sequence[Path]) -> Iterator[None]:
    """The files refuse every write, also through what has them open.

    Raises:
        CannotInject: we are not root, or the file system knows no such mark.
    """
    names = [str(file) for file in files]
    try:
        _command("chattr", "+i", *names)
        yield
    finally:
        with suppress(CannotInject):
            _command("chattr", "-i", *names)


def _command(*words: str) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise CannotInject(f"this machine has no {words[0]!r}") from None
    if done.returncode:
        raise CannotInject(f"this machine refuses '{' '.join(words[:3])}': {done.stderr.strip()}")
