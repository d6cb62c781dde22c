"""Writes files whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from automl._errors import ExportError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A sibling path to write to; it takes the place of `path` when the block ends well, else it is removed.

    Raises:
        ExportError: the folder cannot be made or written.
    """
    draft = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            draft.touch()
            mode = draft.stat().st_mode  # what the user's mask allows; some libraries write for the owner alone
            yield draft
            draft.chmod(mode)
            os.replace(draft, path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise ExportError(
            f"{path} cannot be written ({error.strerror or error}); name another place with --out, "
            "or allow writing to the folder"
        ) from error


def check_place(path: Path) -> None:
    """Returns silently where a file can be written, so that no work is done for one that cannot.

    Raises:
        ExportError: it cannot.
    """
    folder = next(one for one in path.absolute().parents if one.exists())
    reason = ""
    if path.is_dir():
        reason = "it is a folder"
    elif not folder.is_dir():
        reason = f"{folder} is no folder"
    elif not os.access(folder, os.W_OK | os.X_OK):
        reason = f"no permission to write {folder}"
    if reason:
        raise ExportError(f"{path} cannot be written ({reason}); name another place with --out")


def write_text(path: Path, text: str) -> None:
    """Writes UTF-8 text through `replacing`."""
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8")
