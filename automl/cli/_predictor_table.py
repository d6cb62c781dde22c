"""Shows the figures of `automl bench predictors`, and what it made of the file."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from automl.cli._options import Format
from automl.cli._output import emit, say

COLUMNS = ("predictor", "train", "tau", "tau_stderr", "regret", "regret_stderr", "cpu_seconds")


def show(found: Mapping[str, Any], layout: Format) -> None:
    """The table, or its rows as CSV, with a word on rows and columns on stderr; as JSON everything but the samples."""
    if layout is Format.JSON:
        content = {name: value for name, value in found.items() if name != "samples"}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
        return
    for line in told(found):
        say(line)
    emit([_rounded(row) for row in found["predictors"]], layout, columns=COLUMNS)


def told(found: Mapping[str, Any]) -> list[str]:
    """What became of rows and columns, in sentences.

    >>> told({"rows": {"read": 9, "other": 0, "unfinished": 1, "without_metric": 2, "candidates": 5},
    ...       "choices": ["lr"], "dropped": {"id": "counts the rows"}, "metric": "ne", "goal": "minimize"})
    ['9 rows: 1 unfinished, 2 without ne; 5 different candidates, ne to minimize', 'choices: lr',
     'not id: counts the rows']
    """
    rows = found["rows"]
    counts = [f"{rows[name]} {text}" for name, text in _ROWS.items() if rows[name]]
    left = f": {', '.join(counts)}" if counts else ""
    return [
        f"{rows['read']} rows{left.format(metric=found['metric'])}; "
        f"{rows['candidates']} different candidates, {found['metric']} to {found['goal']}",
        f"choices: {', '.join(found['choices'])}",
        *(f"not {name}: {reason}" for name, reason in found["dropped"].items()),
    ]


_ROWS = {"other": "others", "unfinished": "unfinished", "without_metric": "without {metric}"}


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """Regrets may be far below the four digits of a table."""
    return {name: f"{value:.3g}" if name.startswith("regret") else value for name, value in row.items()}
