"""Prints lists as a table, JSON or CSV on stdout."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from automl.cli._options import Format

Row = Mapping[str, Any]

MOST_LINES, MOST_CHARACTERS = 24, 1000
"""Lines of an error, and characters of a line: enough for what a person reads, and for a long path."""


def emit(rows: Sequence[Row], layout: Format, *, columns: Sequence[str] | None = None) -> None:
    """Writes rows to stdout; `columns` limits what a table shows, JSON and CSV have everything."""
    if layout is Format.JSON:
        sys.stdout.write(json.dumps(list(rows), indent=2) + "\n")
    elif layout is Format.CSV:
        _csv(rows)
    else:
        _table(rows, columns or _names(rows))


def give(found: Mapping[str, Any], out: Path | None) -> None:
    """Writes what was measured as JSON to stdout, or into a file whose name goes there."""
    text = json.dumps(found, indent=2) + "\n"
    if out is None:
        sys.stdout.write(text)
        return
    from automl._files import write_text

    write_text(out, text)
    sys.stdout.write(f"{out}\n")


def say(text: str) -> None:
    """A line for people, on stderr."""
    sys.stderr.write("\n".join("".join(map(_visible, line)) for line in text.split("\n")) + "\n")
    sys.stderr.flush()


def readable_error(text: str) -> str:
    """An error as a terminal can show it: bounded, and nothing in it but printable characters and line ends.

    Values that broke a rule come from files that anybody may have written.

    >>> readable_error("must be a number, but is '" + chr(27) + "[31m'")
    "must be a number, but is '\\\\x1b[31m'"
    """
    lines = [_shortened("".join(map(_visible, line))) for line in text.split("\n")]
    more = len(lines) - MOST_LINES
    return "\n".join([*lines[:MOST_LINES], f"... and {more} more lines"] if more > 0 else lines)


def _visible(character: str) -> str:
    return character if character.isprintable() else repr(character)[1:-1]


def _shortened(line: str) -> str:
    half = MOST_CHARACTERS // 2
    return line if len(line) <= MOST_CHARACTERS else f"{line[:half]} ... {line[-half:]}"


def compact(value: Any) -> str:
    """A value as a person reads it in a table.

    >>> [compact(one) for one in (None, 0.84971, 12_300_000, [3, 4])]
    ['-', '0.8497', '12.3M', '3 4']
    """
    if value is None:
        return "-"
    if isinstance(value, float):
        return f"{value:.4f}" if abs(value) < 1000 else _with_prefix(value)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value) if abs(value) < 100_000 else _with_prefix(value)
    if isinstance(value, list | tuple):
        return " ".join(map(str, value)) or "-"
    return str(value)


def _with_prefix(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g}{letter}"
    return f"{value:.3g}"


def _names(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row))


def _csv(rows: Sequence[Row]) -> None:
    names = _names(rows)
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(names)
    for row in rows:
        values = (row.get(name) for name in names)
        writer.writerow([" ".join(map(str, one)) if isinstance(one, list) else one for one in values])


def _table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in columns:
        numeric = any(isinstance(row.get(name), int | float) for row in rows)
        table.add_column(name, justify="right" if numeric else "left", no_wrap=True)
    for row in rows:
        table.add_row(*(compact(row.get(name)) for name in columns))
    width = None if sys.stdout.isatty() else 240
    Console(file=sys.stdout, width=width, highlight=False, markup=False).print(table)
