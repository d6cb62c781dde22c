"""Cells of a foreign file: nested ones side by side, text that is JSON as what it says, missing ones as None."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

Row = Mapping[str, Any]

MISSING = frozenset({"", "nan", "none", "null", "na", "n/a"})


def flat(row: Row) -> dict[str, Any]:
    """Cells by name; a cell of a nested object is `outer.inner`.

    >>> flat({"model": "DCN", "settings": {"lr": "1e-3", "units": [64, 64], "seed": None}})
    {'model': 'DCN', 'settings.lr': 0.001, 'settings.units': [64, 64], 'settings.seed': None}
    """
    return dict(_cells("", row))


def number(cell: Any) -> float | None:
    """The cell as a finite number, None where it is none."""
    if isinstance(cell, bool) or not isinstance(cell, int | float):
        return None
    try:
        value = float(cell)
    except OverflowError:
        return None
    return value if math.isfinite(value) else None


def said(cell: Any) -> str:
    """The cell as text that tells it apart from others, and that people write: for filters and for counting."""
    if isinstance(cell, str):
        return cell
    value = number(cell)
    if value is not None and value == int(value):
        return str(int(value))
    return json.dumps(cell, default=str)


def _cells(prefix: str, row: Row) -> Iterator[tuple[str, Any]]:
    for name, cell in row.items():
        read = _read(cell)
        if isinstance(read, Mapping):
            yield from _cells(f"{prefix}{name}.", read)
        else:
            yield f"{prefix}{name}", read


def _read(cell: Any) -> Any:
    if isinstance(cell, float) and not math.isfinite(cell):
        return None
    if not isinstance(cell, str):
        return cell if isinstance(cell, bool | int | float | list | tuple | Mapping | None) else str(cell)
    if cell.strip().lower() in MISSING:
        return None
    if cell in ("True", "False"):
        return cell == "True"
    try:
        read = json.loads(cell)
    except (ValueError, RecursionError):
        return cell
    return None if isinstance(read, float) and not math.isfinite(read) else read
