"""What a table is of, and the candidates that it has."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from automl import plugins
from automl._errors import AutomlError
from automl._files import write_text
from automl._versions import versions
from automl.bench._timing import machine
from automl.config import CONTROLS
from evaluators import Suggestion
from evaluators._datasets import Dataset
from evaluators._tabular.entries import FACTS_FILE
from searchspaces import Candidate, SearchSpace, SearchSpaceError, zoo

FORMAT = 1

DRAWS_PER_CANDIDATE = 20
"""Draws in a row without a new candidate, for each that is wanted, after which a space counts as too small."""


@dataclass(frozen=True)
class Plan:
    """What is trained. Trainings in `folder` are found again, so the same plan goes on where it stopped.

    `replicates` of each candidate are what searchers see; `truth_replicates` more, under other seeds, of the
    `truth_top` best are what they are judged by. `training` are options of the evaluator `train`.
    """

    space: Mapping[str, Any]
    data: str
    folder: Path
    count: int = 600
    replicates: int = 2
    truth_top: int = 100
    truth_replicates: int = 5
    seed: int = 1
    cohort: int = 8
    training: Mapping[str, Any] = field(default_factory=dict)


def drawn(space: SearchSpace, count: int, *, seed: int) -> list[Candidate]:
    """So many random candidates of which no two are one; the first ones are the same however many there are.

    Raises:
        AutomlError: the space seems to have fewer.
    """
    rng, found, dry = np.random.default_rng(seed), dict[str, Candidate](), 0
    while len(found) < count:
        one = space.sample(rng)
        dry = dry + 1 if one.fingerprint in found else 0
        found.setdefault(one.fingerprint, one)
        if dry > DRAWS_PER_CANDIDATE * count:
            raise AutomlError(
                f"a table needs {count} different candidates, but the space gave {len(found)} and then nothing new in "
                f"{dry} draws; ask for fewer with --count, or give the space more choices"
            )
    return list(found.values())


def space_of(plan: Plan, dataset: Dataset) -> SearchSpace:
    """The space that candidates are drawn from.

    Raises:
        ConfigError, SpaceError: there is no such space, or its options are wrong.
    """
    space: SearchSpace = plugins.construct("space", plan.space, {"schema": dataset.schema})
    return space


def controls_of(dataset: Dataset) -> list[Suggestion]:
    """The human-made architectures that this data can feed: they are in a table beside its candidates."""
    found = []
    for name in CONTROLS:
        try:
            found.append(Suggestion(zoo(name, dataset.schema), origin=f"zoo:{name}"))
        except SearchSpaceError:
            continue
    return found


def facts_of(plan: Plan, dataset: Dataset) -> dict[str, Any]:
    """What has to be equal for trainings to belong to one table, as JSON types."""
    return {
        "format": FORMAT,
        "space": dict(plan.space),
        "data": {"name": dataset.name, "digest": dataset.digest, "rows": dict(dataset.rows)},
        "schema": dataset.schema.to_dict(),
        "seed": plan.seed,
        "count": plan.count,
        "replicates": plan.replicates,
        "truth_top": plan.truth_top,
        "truth_replicates": plan.truth_replicates,
        "training": dict(plan.training),
        "versions": versions(),
    }


def write_facts(folder: Path, facts: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Writes the provenance of a finished table: the plan, what came of it, and the machine."""
    write_text(folder / FACTS_FILE, json.dumps({**facts, **found, "machine": machine()}, indent=2) + "\n")
