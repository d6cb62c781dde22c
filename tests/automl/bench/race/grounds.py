"""Small courses for races: planted tables and files of trials."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from automl.bench.race.ground import Course, Ground, course_on_table
from automl.bench.race.running import Run
from evaluators import Objective
from tests.evaluators.small_tables import entries, write_table

OBJECTIVES = (Objective("ne"), Objective("flops"))


@cache
def planted(count: int = 40) -> Course:
    """A table of planted candidates to race on; one for all tests, since nothing changes it."""
    with TemporaryDirectory() as folder:
        return course_on_table(write_table(Path(folder) / "planted", entries(count)), OBJECTIVES)


def ground(truth: list[list[float]], reference: list[float]) -> Ground:
    """A ground with these true losses."""
    objectives = (*OBJECTIVES, Objective("params"))[: len(reference)]
    return Ground("small", objectives, np.array(truth, np.float64), np.array(reference, np.float64))


def run_of(rows: list[int], losses: list[float | None], *, searcher: str = "a", seed: int = 0, **changes: Any) -> Run:
    """A run that asked for these candidates and was told these losses."""
    nothing = ("",) * len(rows)
    return Run(searcher, seed, tuple(rows), (0,) * len(rows), tuple(losses), nothing, 0.0, **changes)


def trials_file(folder: Path, rows: list[dict[str, Any]], name: str = "trials.jsonl") -> Path:
    """Rows as lines of JSON."""
    (folder / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return folder / name
