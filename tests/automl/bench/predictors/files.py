"""Files of trials whose metric follows from their settings."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

MODELS = {"DCN": 0.03, "FM": 0.0, "DLRM": 0.02}


def rows(count: int = 60, seed: int = 0) -> list[dict[str, Any]]:
    """AUC depends on the model and on the logarithm of the rate; the second AUC gives it away."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(count):
        model = str(rng.choice(list(MODELS)))
        rate = float(rng.choice([1e-4, 1e-3, 1e-2, 1e-1]))
        dim = int(rng.choice([4, 8, 16, 32, 64]))
        auc = 0.7 + MODELS[model] - 0.01 * (np.log10(rate) + 3) ** 2 + 0.002 * np.log2(dim)
        settings = {"rate": rate, "dim": dim, "dropout": float(rng.choice([0.0, 0.1, 0.2]))}
        found.append({"run": f"run-{number}", "model": model, "auc": auc, "test_auc": auc + 1e-4, "settings": settings})
    return found


def jsonl(folder: Path, content: list[dict[str, Any]]) -> Path:
    file = folder / "trials.jsonl.gz"
    with gzip.open(file, "wt", encoding="utf-8") as lines:
        lines.writelines(json.dumps(row) + "\n" for row in content)
    return file
