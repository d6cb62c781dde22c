"""A small prepared dataset with a planted effect, and architectures to train on it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evaluators import Suggestion
from evaluators._datasets import Dataset, Facts, Part, write_prepared
from evaluators._datasets.vocabulary import Vocabulary
from searchspaces import Architecture, Candidate, FeatureSchema, Field, Kind, Node, Options

IDS = (20, 50, 7)
SCHEMA = FeatureSchema(
    (
        Field("age", Kind.NUMERIC, mean=0.4, std=0.7),
        Field("price", Kind.NUMERIC, mean=0.4, std=0.7),
        *(Field(f"field{at}", Kind.CATEGORICAL, vocabulary_size=size) for at, size in enumerate(IDS)),
    )
)


def part(rows: int, seed: int) -> Part:
    """Clicks that follow the first field and the first number; some numbers are missing."""
    rng = np.random.default_rng(seed)
    ids = np.stack([rng.integers(0, size, rows) for size in IDS], axis=1).astype(np.int32)
    numeric = rng.exponential(1.0, (rows, 2)).astype(np.float32)
    logits = 1.5 * np.sin(ids[:, 0]) + numeric[:, 0] - 1.5
    label = (rng.random(rows) < 1.0 / (1.0 + np.exp(-logits))).astype(np.float32)
    numeric[rng.random((rows, 2)) < 0.1] = np.nan
    return Part(label, numeric, ids)


def write_small_data(folder: Path, *, rows: int = 2000) -> Dataset:
    """Writes `rows` training rows, half as many for validation and for the test part."""
    return write_prepared(
        folder,
        {"train": part(rows, 1), "valid": part(rows // 2, 2), "test": part(rows // 2, 3)},
        schema=SCHEMA,
        vocabularies=[Vocabulary.of([f"v{at}" for at in range(size - 1)]) for size in IDS],
        facts=Facts("small"),
    )


def mlp(width: int = 16, *, dim: int = 4, **training: object) -> Candidate:
    """Numbers and embeddings through one hidden layer."""
    nodes = (
        Node("numeric"),
        Node("full", (), Options(dim=dim)),
        Node("mlp", (0, 1), Options(width=width)),
        Node("logit", (2,)),
    )
    return Candidate(Architecture(nodes), Options(training))


def suggest(candidate: Candidate, *, replicate: int = 0) -> Suggestion:
    """A suggestion at the evaluator's own fidelity."""
    return Suggestion(candidate, replicate=replicate)
