"""What is wrong with how a malformed input was met."""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

from tests.end_to_end.malformed.case import Case
from tests.end_to_end.malformed.place import Done

MOST_LINES, MOST_CHARACTERS = 30, 3000
"""What one error may take: a paragraph, or a line for each mistake of a file."""


def snapshot(folder: Path) -> dict[str, str]:
    """Every file, folder and link below the folder, with a digest of what it holds."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.parent.name == "locks":
            continue  # a lock stays, and says who had it last
        if path.is_symlink():
            held = f"link to {os.readlink(path)}"
        elif path.is_file():
            held = hashlib.sha256(path.read_bytes()).hexdigest()
        else:
            held = "folder"
        found[str(path.relative_to(folder))] = held
    return found


def changes(before: Mapping[str, str], folder: Path) -> list[str]:
    """What has changed in the folder since, once nothing that the command made is alive any more."""
    found = difference(before, snapshot(folder))
    if not found:
        return []
    gc.collect()  # as the end of a process would: SQLite removes its log with the last connection
    return difference(before, snapshot(folder))


def difference(before: Mapping[str, str], after: Mapping[str, str]) -> list[str]:
    """What came, went or changed."""
    gone = [f"{name} is gone" for name in before.keys() - after.keys()]
    come = [f"{name} is left behind" for name in after.keys() - before.keys()]
    other = [f"{name} changed" for name in before.keys() & after.keys() if before[name] != after[name]]
    return sorted(gone + come + other)


def complaints_of(case: Case, done: Done) -> list[str]:
    """What is wrong with exit code, stdout and stderr."""
    found = []
    if done.code != case.code:
        found.append(f"exit code {done.code}, not {case.code}")
    found += [f"stdout holds {done.out[:80]!r}"] if done.out and case.code == 2 else []
    found += [f"the error does not name {word!r}" for word in case.names if word not in _flat(done.err)]
    return found + complaints_of_text(done.err)


def complaints_of_text(text: str) -> list[str]:
    """What is wrong with an error, whatever it is about."""
    found = [] if text.startswith(("automl: ", "Usage: ", "Error: ")) else [f"the error begins with {text[:40]!r}"]
    found += ["a traceback"] if "Traceback" in text else []
    found += [f"{len(text.splitlines())} lines"] if len(text.splitlines()) > MOST_LINES else []
    found += [f"{len(text)} characters"] if len(text) > MOST_CHARACTERS else []
    wild = sorted({one for one in text if not one.isprintable() and one != "\n"})
    return found + ([f"characters that are not printable: {wild}"] if wild else [])


def _flat(text: str) -> str:
    """Without the frame that usage errors are drawn in."""
    return " ".join(text.replace("│", " ").split())
