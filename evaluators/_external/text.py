"""What a program said, made fit for a reason: one line, bounded, without characters that a store refuses."""

from __future__ import annotations

import os
from pathlib import Path

REASON_CHARACTERS = 500
TAIL_BYTES = 4096
TAIL_LINES = 8


def one_line(text: str, limit: int = REASON_CHARACTERS) -> str:
    """Printable characters on one line; the end is kept where it is too long.

    >>> one_line("a\\n\\tb\\x00c")
    'a b c'
    >>> one_line("0123456789", 4)
    '...6789'
    """
    words = "".join(one if one.isprintable() else " " for one in text).split()
    line = " ".join(words)
    return line if len(line) <= limit else f"...{line[-limit:]}"


def last_words(*files: Path) -> str:
    """The last lines of the first of the files that has any."""
    return next((words for file in files if (words := _last_lines(file))), "")


def _last_lines(file: Path) -> str:
    try:
        with file.open("rb") as stream:
            size = stream.seek(0, os.SEEK_END)
            stream.seek(max(0, size - TAIL_BYTES))
            text = stream.read(TAIL_BYTES).decode(errors="replace")
    except OSError:
        return ""
    lines = [line for line in text.splitlines() if line.strip()]
    return "\n".join(lines[-TAIL_LINES:])
