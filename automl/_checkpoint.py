"""Where a method keeps its state and its account, and through which it hears that it should stop.

A checkpoint is a folder: `checkpoint.json`, which is replaced last, and the folder of files that it names. So a kill at
any time leaves the one before or the new one.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from automl._errors import StudyError

VERSION = 1
FACTS_FILE = "checkpoint.json"
FILES = "files"

Json = dict[str, Any]


@dataclass(frozen=True)
class Advance:
    """How far a method is: `done` of the `total` steps of a phase, and what else there is to say."""

    phase: str
    done: int
    total: int
    words: str = ""


@dataclass(frozen=True)
class Account:
    """What one phase of a method has used. A row counts once for each model that was trained or scored on it.

    `peak_bytes` is the most memory of any process that took part. Work that a kill has lost is not in it.
    """

    steps: int = 0
    rows: int = 0
    seconds: float = 0.0
    peak_bytes: int = 0

    def __add__(self, other: Account) -> Account:
        return Account(
            self.steps + other.steps,
            self.rows + other.rows,
            self.seconds + other.seconds,
            max(self.peak_bytes, other.peak_bytes),
        )


@dataclass(frozen=True)
class Kept:
    """What a checkpoint holds: facts as JSON types, and the folder with the method's files."""

    facts: Json
    files: Path


def _to_nobody(_: Advance) -> None: ...


class Checkpoint:
    """The checkpoint of one run of a method. `tell` hears how far it is; `is_stopped` says whether it should end.

    Raises:
        StudyError: what is in the folder cannot be read.
    """

    def __init__(
        self,
        folder: Path,
        *,
        tell: Callable[[Advance], None] = _to_nobody,
        is_stopped: Callable[[], bool] = lambda: False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.tell = tell
        self._is_stopped = is_stopped
        self._clock = clock
        self._content = _read(folder)
        self._accounts = {name: Account(**one) for name, one in self._content.get("accounts", {}).items()}
        self._spent_at = self._kept_at = clock()

    @property
    def is_stopped(self) -> bool:
        """Whether the method should keep its state and end."""
        return self._is_stopped()

    @property
    def accounts(self) -> dict[str, Account]:
        """What each phase has used so far."""
        return dict(self._accounts)

    def kept(self) -> Kept | None:
        """What was kept last; None where the run has not begun, or its files were released."""
        if not self._content.get("files"):
            return None
        return Kept(self._content["facts"], self.folder / self._content["files"])

    def spend(self, phase: str, *, rows: int, steps: int = 1, peak_bytes: int = 0) -> None:
        """Adds to the account of a phase; the seconds are those since the last call."""
        now = self._clock()
        used = Account(steps, rows, now - self._spent_at, peak_bytes)
        self._accounts[phase] = self._accounts.get(phase, Account()) + used
        self._spent_at = now

    def is_due(self, seconds: float) -> bool:
        """Whether the state was last kept so many seconds ago."""
        return self._clock() - self._kept_at >= seconds

    def keep(self, facts: Mapping[str, Any], write: Callable[[Path], None] | None = None) -> None:
        """Keeps the state: facts as JSON types, and the files that `write` puts into an empty folder.

        Without `write` the files of the last time stay.
        """
        files = self._content.get("files") or f"{FILES}-0"
        if write is not None:
            files = f"{FILES}-{int(files.rpartition('-')[2]) + 1}"
            shutil.rmtree(self.folder / files, ignore_errors=True)  # of a try that was killed
            (self.folder / files).mkdir(parents=True)
            write(self.folder / files)
        self._put(files, dict(facts))
        self._kept_at = self._clock()

    def release(self) -> None:
        """Removes the files, which take gigabytes, of a run that has ended; facts and account stay."""
        if self._content.get("files"):
            self._put(None, self._content["facts"])
        self._sweep()  # once more: a kill may have come between the two

    def _put(self, files: str | None, facts: Json) -> None:
        accounts = {name: asdict(one) for name, one in self._accounts.items()}
        self._content = {"version": VERSION, "files": files, "accounts": accounts, "facts": facts}
        _replace(self.folder / FACTS_FILE, json.dumps(self._content, sort_keys=True))
        self._sweep()

    def _sweep(self) -> None:
        """Removes files of other states than the one that is kept."""
        for other in self.folder.glob(f"{FILES}-*"):
            if other.name != self._content.get("files"):
                shutil.rmtree(other, ignore_errors=True)


def _read(folder: Path) -> Json:
    path = folder / FACTS_FILE
    try:
        content: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise _broken(folder, str(error)) from error
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise _broken(folder, "it is no checkpoint of this release")
    return dict(content)


def _broken(folder: Path, reason: str) -> StudyError:
    return StudyError(f"a checkpoint must be whole, but {folder} is not: {reason}; remove it to begin the method again")


def _replace(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.partial")
    with draft.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(draft, path)
