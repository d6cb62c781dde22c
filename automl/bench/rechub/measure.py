"""Examples a second of the same models on the same rows: our evaluator, and torch-rechub in its own environment."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import geometric_mean
from typing import Any

import numpy as np

from automl._errors import AutomlError
from automl.bench._timing import machine
from automl.bench.evaluator.crew import Crew
from evaluators._datasets import Dataset, open_dataset, read_rows
from searchspaces import Options, zoo
from searchspaces.embeddings.numeric import Numeric

MODELS = ("dcnv2", "deepfm")
"""Human-made models of sizes that both have: 16 dimensions, two crosses, widths 256 and 128."""

PEER_SIDE = Path(__file__).with_name("_peer_side.py")


@dataclass(frozen=True)
class Plan:
    """`python` is the interpreter of an environment with torch-rechub; `rows` are the newest training rows."""

    data: str
    python: str
    rows: int = 50_000
    rounds: int = 2


def rechub(plan: Plan) -> dict[str, Any]:
    """Ratios of examples a second, by processor seconds and by the clock; the two take turns, one thread each.

    Raises:
        AutomlError: the environment has no torch-rechub, or its run fails.
    """
    dataset = open_dataset(plan.data)
    found: dict[str, Any] = {name: {"ours": [], "theirs": []} for name in MODELS}
    with Crew(1, plan.data) as crew, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rows.npz"
        rows = _write(dataset, plan.rows, path)
        controls = [zoo(name, dataset.schema).to_dict() for name in MODELS]
        rule = crew.ask([{"do": "precision", "candidates": controls, "digest": dataset.digest}])[0]
        for name in [name for _ in range(plan.rounds) for name in MODELS]:
            theirs = _theirs(plan.python, path, name)
            ours = crew.ask([_ours(dataset, name, rule["chosen"], rows)])[0]
            found[name]["theirs"].append(rows / theirs["processor"])
            found[name]["ours"].append(rows / ours["processor_seconds"])
    return {
        "machine": {**machine(), "torch": crew.greetings[0]["torch"]},
        "plan": {**asdict(plan), "data": dataset.facts.name, "python": Path(plan.python).name, "rows": rows},
        "precision": rule["chosen"],
        "models": {name: _compared(one) for name, one in found.items()},
    }


def _compared(found: dict[str, Sequence[float]]) -> dict[str, Any]:
    ratios = [one / other for one, other in zip(found["ours"], found["theirs"], strict=True)]
    return {
        **{f"{who}_examples_per_second": [round(one) for one in speeds] for who, speeds in found.items()},
        "ratio": round(geometric_mean(ratios), 2),
        "ratios": [round(one, 2) for one in ratios],
    }


def _ours(dataset: Dataset, name: str, how: str, rows: int) -> dict[str, Any]:
    """Building and scoring the validation part are in it, which is in the other's favour."""
    candidate = zoo(name, dataset.schema).to_dict()
    return {"do": "training", "how": how, "candidates": [candidate], "cohort": 1, "rows": rows, "seed": 1}


def _theirs(python: str, path: Path, name: str) -> dict[str, float]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "PYTHONPATH": ""}
    command = [python, str(PEER_SIDE), str(path), name]
    ended = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if ended.returncode:
        said = ended.stderr.strip().splitlines() or ["nothing"]
        raise AutomlError(
            f"{python} must be of an environment with torch-rechub 0.9, but said {said[-1]!r}; "
            "make one with 'python -m venv peer && peer/bin/pip install torch-rechub==0.9.0'"
        )
    found: dict[str, float] = json.loads(ended.stdout.strip().splitlines()[-1])
    return found


def _write(dataset: Dataset, most: int, path: Path) -> int:
    """The newest rows, numbers standardised as our source does it, and how many there are."""
    import torch

    part = dataset.part("train")
    read = read_rows(part, max(0, len(part) - most), len(part))
    source = Numeric(dataset.schema, Options())
    raw = (torch.from_numpy(np.array(one)) for one in (read.numeric, read.categorical))
    numeric = source(*raw, {}).numpy()
    sizes = np.array([field.vocabulary_size for field in dataset.schema.categorical])
    np.savez(path, numeric=numeric, categorical=read.categorical % sizes, label=read.label, sizes=sizes)
    return len(read)
