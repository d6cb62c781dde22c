"""Trains a small model for one pass over the newest rows: `python -m automl.bench._one_pass FOLDER ROWS`.

A program of its own, so that its memory is that of training alone. Tables are capped, so that the model has the same
size whatever the data.
"""

from __future__ import annotations

import sys
from pathlib import Path

from evaluators._datasets import read_dataset
from evaluators._training.device import choose_device
from evaluators._training.examples import Examples
from evaluators._training.settings import TrainingSettings
from evaluators._training.single import train_one
from searchspaces import Architecture, Node, Options
from searchspaces.build import build

HASH_CAP = 10_000
SMALL = Architecture(
    (Node("numeric"), Node("full", (), Options(dim=4)), Node("mlp", (0, 1), Options(width=64)), Node("logit", (2,)))
)


def one_pass(folder: Path, rows: int) -> float:
    """The training loss of the pass's last quarter."""
    dataset = read_dataset(folder)
    model = build(SMALL, dataset.schema.capped(HASH_CAP), seed=0)
    examples = Examples(dataset.part("train"), choose_device("cpu"))
    settings = TrainingSettings(rows=rows, batch_size=4096, hash_cap=HASH_CAP)
    return train_one(model, examples, settings, seed=0)[-1].metrics["train_logloss"]


if __name__ == "__main__":
    sys.stdout.write(f"{one_pass(Path(sys.argv[1]), int(sys.argv[2]))}\n")
