"""Shows the figures of `automl bench predictors`, and what it made of the trials."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from typing import Any

from automl.bench.trial_files.words import told
from automl.cli._options import Format
from automl.cli._output import emit, say

COLUMNS = ("predictor", "train", "tau", "tau_stderr", "ceiling", "regret", "regret_stderr", "cpu_seconds")


def show(found: Mapping[str, Any], layout: Format) -> None:
    """The table, or its rows as CSV, with a word on rows and columns on stderr; as JSON everything but the samples."""
    if layout is Format.JSON:
        content = {name: value for name, value in found.items() if name != "samples"}
        sys.stdout.write(json.dumps(content, indent=2) + "\n")
        return
    for line in told(found):
        say(line)
    emit([_rounded(row) for row in found["predictors"]], layout, columns=COLUMNS)


def _rounded(row: Mapping[str, Any]) -> dict[str, Any]:
    """Regrets may be far below the four digits of a table."""
    return {name: f"{value:.3g}" if name.startswith("regret") else value for name, value in row.items()}
