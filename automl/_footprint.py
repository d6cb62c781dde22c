"""What trials leave on the disk: measured in a store of their own for a moment, and in MLflow beforehand."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from itertools import cycle, islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from evaluators import Evaluation, Suggestion
from searchspaces import Candidate
from storage import StudyRecord, open_store

FEW, MANY = 50, 250
"""Trials of the two stores whose difference counts: what an empty store takes is no trial's."""

MLFLOW_BYTES = 26_000.0
"""Of one trial in MLflow on SQLite, measured over 200: 14 kB in the database, 12 kB for a file and its folders."""

Measured = Sequence[tuple[Candidate, Evaluation]]


def store_bytes(trials: Measured) -> float:
    """Bytes that one such trial takes in a SQLite store."""
    few, many = (_size_of_store(trials, count) for count in (FEW, MANY))
    return (many - few) / (MANY - FEW)


def tracker_bytes(spec: Mapping[str, Any] | None, trials: Measured) -> float | None:
    """Bytes that one trial takes in the tracker on this machine; None where they are kept elsewhere or nobody knows."""
    if spec is None:
        return 0.0
    if spec["name"] == "mlflow":
        return MLFLOW_BYTES if str(spec.get("uri", "sqlite")).startswith("sqlite") else None
    if spec["name"] == "jsonl":
        texts = [json.dumps([one.to_dict(), evaluation.to_dict()]) for one, evaluation in trials]
        return sum(map(len, texts)) / len(texts)
    return None


def _size_of_store(trials: Measured, count: int) -> int:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "store.db"
        store = open_store(f"sqlite:///{file}")
        try:
            store.create_study(StudyRecord("uid", "s", 0, "problem", {}, time.time()))
            wanted = list(islice(cycle(trials), count))
            begun = store.begin("s", [Suggestion(one) for one, _ in wanted], ask_number=0, stage="search")
            store.claim("s", worker="w", limit=count, lease_seconds=60.0)
            store.finish("s", [(trial.number, wanted[at][1]) for at, trial in enumerate(begun)])
        finally:
            store.close()
        return file.stat().st_size
