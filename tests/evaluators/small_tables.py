"""A small table of trainings with planted values, as `automl bench table` leaves it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from evaluators import Evaluation, Suggestion
from evaluators._tabular.entries import FACTS_FILE, SEARCH, TRIALS_FILE, TRUTH, Entry, write_entries
from evaluators.planted import Planted
from searchspaces import Candidate
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA

SPACE: dict[str, Any] = {"name": "autoctr", "blocks": 3, "widths": [8, 16, 32], "embedding_dim": 4}
SOURCE = AutoCTR(SCHEMA, blocks=3, widths=[8, 16, 32], embedding_dim=4)


def different(count: int, seed: int = 0) -> list[Candidate]:
    """Candidates of the source space, no two of them one."""
    rng, found = np.random.default_rng(seed), dict[str, Candidate]()
    while len(found) < count:
        one = SOURCE.sample(rng)
        found.setdefault(one.fingerprint, one)
    return list(found.values())


def entries(count: int, *, replicates: int = 2, truth: int = 3, noise: float = 0.002) -> list[Entry]:
    """Trainings that searchers see, and as many candidates' true ones under other seeds."""
    evaluator = Planted(SOURCE, 1, noise=noise)
    found = []
    for number, candidate in enumerate(different(count)):
        for replicate in range(replicates + truth):
            ((_, outcome),) = evaluator.evaluate([Suggestion(candidate, replicate=replicate)])
            assert isinstance(outcome, Evaluation)
            role = SEARCH if replicate < replicates else TRUTH
            found.append(Entry(number, candidate, replicate, role, outcome))
    return found


def write_table(folder: Path, found: list[Entry]) -> Path:
    """Writes them with the facts that the space `tabled` reads."""
    folder.mkdir(parents=True, exist_ok=True)
    write_entries(folder / TRIALS_FILE, found)
    facts = {"space": SPACE, "schema": SCHEMA.to_dict()}
    (folder / FACTS_FILE).write_text(json.dumps(facts), encoding="utf-8")
    return folder
