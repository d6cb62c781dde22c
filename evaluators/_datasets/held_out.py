"""The only door to the test part; it writes down who opened it, so that reuse of the test can be seen."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from evaluators._datasets.dataset import Dataset
from evaluators._datasets.home import home
from evaluators._datasets.part import Part, read_part
from evaluators._errors import DataError


def _now() -> datetime:
    return datetime.now(UTC)


def open_test_part(dataset: Dataset, *, purpose: str, clock: Callable[[], datetime] = _now) -> Part:
    """Opens the test part after the opening is on record (data digest, purpose, time).

    Raises:
        DataError: the dataset has no test part, or the record cannot be written.
    """
    if "test" not in dataset.rows:
        raise DataError(f"the test part of {dataset.name!r} was asked for ({purpose}), but {dataset.folder} has none")
    part = dataset.checked("test", read_part(dataset.folder, "test"))  # mapped, not read: nobody has seen a row yet
    record_opening(dataset.digest, purpose=purpose, clock=clock)
    return part


def record_opening(digest: str, *, purpose: str, clock: Callable[[], datetime] = _now) -> None:
    """Writes down that the test part of the data with this digest opens now.

    Raises:
        DataError: the record cannot be written.
    """
    line = json.dumps({"digest": digest, "purpose": purpose, "time": clock().isoformat()})
    path = _record()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # One append of one line: openings from several processes do not tear each other.
        record = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(record, f"{line}\n".encode())
        finally:
            os.close(record)
    except OSError as error:
        raise DataError(
            f"the test part opens only when that can be recorded, but {path} cannot be written ({error}); "
            "set AUTOML_HOME to a folder that can be written"
        ) from error


def openings(digest: str) -> int:
    """How often the test part of the data with this digest has been opened."""
    path = _record()
    if not path.exists():
        return 0
    lines = path.read_text(encoding="utf-8").splitlines()
    return sum(json.loads(line)["digest"] == digest for line in lines if line.strip())


def _record() -> Path:
    return home() / "test_openings.jsonl"
