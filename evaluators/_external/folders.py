"""A fresh folder for each trial, and what becomes of it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from enum import StrEnum
from itertools import count
from pathlib import Path
from typing import Any

from evaluators._errors import EvaluatorError
from evaluators._trial import Suggestion


class Keep(StrEnum):
    """Which trials' folders stay."""

    NONE = "none"
    FAILED = "failed"
    ALL = "all"

    def keeps(self, *, has_failed: bool) -> bool:
        """Whether the folder of such a trial stays."""
        return self is Keep.ALL or (self is Keep.FAILED and has_failed)


def make_folder(parent: Path, suggestion: Suggestion) -> Path:
    """Makes a folder that is named after the suggestion, with a number behind where an earlier run left one.

    Raises:
        EvaluatorError: it cannot be made.
    """
    digits = suggestion.candidate.fingerprint.rpartition(":")[2][:16]
    name = f"{digits}-rung{suggestion.fidelity.rung}-replicate{suggestion.replicate}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        for attempt in count(1):
            folder = parent / (name if attempt == 1 else f"{name}.{attempt}")
            try:
                folder.mkdir()
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise EvaluatorError(
            f"a trial needs a folder in {parent}, but none can be made ({error.strerror}); name another trial_folders"
        ) from error
    raise AssertionError("numbers do not end")


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Writes a document whole or not at all.

    Raises:
        EvaluatorError: it cannot be written.
    """
    draft = path.with_name(f".{path.name}.part")
    try:
        draft.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
        os.replace(draft, path)
    except OSError as error:
        raise EvaluatorError(f"{path} cannot be written ({error.strerror}); make room, then resume") from error


def remove_folder(folder: Path) -> None:
    """Removes a trial's folder; what cannot be removed stays."""
    shutil.rmtree(folder, ignore_errors=True)
