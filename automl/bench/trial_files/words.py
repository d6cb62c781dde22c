"""Says in sentences what was made of a file of trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def told(about: Mapping[str, Any]) -> list[str]:
    """What became of rows and columns.

    >>> told({"rows": {"read": 9, "other": 0, "unfinished": 1, "without_metric": 2, "candidates": 5},
    ...       "choices": ["lr"], "dropped": {"id": "counts the rows"}, "metric": "ne", "goal": "minimize"})
    ['9 rows: 1 unfinished, 2 without ne; 5 different candidates, ne to minimize', 'choices: lr',
     'not id: counts the rows']
    """
    rows = about["rows"]
    counts = [f"{rows[name]} {text}" for name, text in _ROWS.items() if rows[name]]
    left = f": {', '.join(counts)}" if counts else ""
    return [
        f"{rows['read']} rows{left.format(metric=about['metric'])}; "
        f"{rows['candidates']} different candidates, {about['metric']} to {about['goal']}",
        f"choices: {', '.join(about['choices']) or 'all of a candidate'}",
        *(f"not {name}: {reason}" for name, reason in about["dropped"].items()),
    ]


_ROWS = {"other": "others", "unfinished": "unfinished", "without_metric": "without {metric}"}
