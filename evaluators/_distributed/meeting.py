"""Where the ranks of a training meet: a folder that is gone with its driver, also when that was killed.

Imports nothing heavy.
"""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "automl-ranks-"
HELD = "held"
NEW_SECONDS = 60.0
"""Age up to which a folder is left alone: its driver may not have come to the lock yet."""


class Meeting:
    """A folder for a file that all ranks open.

    Its driver holds a lock in it, which the kernel lets go of when the driver ends in whatever way. So who makes the
    next one knows which folders are left over, and removes them.
    """

    def __init__(self, root: Path | None = None) -> None:
        where = Path(tempfile.gettempdir()) if root is None else root
        sweep(where)
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=where))
        self._held = os.open(self.folder / HELD, os.O_CREAT | os.O_RDWR)
        fcntl.flock(self._held, fcntl.LOCK_EX)

    @property
    def file(self) -> Path:
        """What ranks open; none of them has made it before."""
        return self.folder / "meeting"

    def close(self) -> None:
        """Removes the folder; may be called twice."""
        if self._held >= 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._held)
            self._held = -1


def sweep(root: Path) -> None:
    """Removes what killed drivers have left; what belongs to others, or is in use, stays."""
    for folder in root.glob(f"{PREFIX}*"):
        if _is_left_over(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_left_over(folder: Path) -> bool:
    try:
        if time.time() - folder.stat().st_mtime < NEW_SECONDS:
            return False
        held = os.open(folder / HELD, os.O_CREAT | os.O_RDWR)
    except OSError:  # gone meanwhile, or another user's
        return False
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(held)
    return True
