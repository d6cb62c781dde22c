"""Checks a study before its first trial, and prepares data by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from automl._wiring import check
from automl.config import StudyConfig
from evaluators._datasets import Dataset, open_dataset
from evaluators._datasets.preparation import prepare as prepare_source
from searchspaces import SearchSpace
from searchspaces.cost import cost

SAMPLES = 20


def facts(config: StudyConfig) -> dict[str, Any]:
    """What a valid configuration amounts to: rows, fields, decisions, typical cost.

    Raises:
        DataError: the data cannot be read.
        SpaceError: the space has no valid candidate for this data.
    """
    dataset = open_dataset(config.data)
    space = check(config, dataset, is_started=True).space
    costs = _sampled_costs(space, dataset)
    return {
        "study": config.study.name,
        "data": dataset.name,
        "digest": dataset.digest,
        "rows": " ".join(f"{part} {rows}" for part, rows in dataset.rows.items()),
        "fields": f"{len(dataset.schema.numeric)} numeric, {len(dataset.schema.categorical)} categorical",
        "space": f"{config.space['name']}, {len(space.decisions())} decisions, {_size(space):.2g} assignments",
        "flops": f"{min(costs)} to {max(costs)} an example in {SAMPLES} random candidates",
        "searcher": config.searcher["name"],
        "evaluator": config.evaluator["name"],
        "objectives": " ".join(f"{one.metric} ({one.goal.value})" for one in config.objective_list()),
        "budget": config.budget.model_dump(exclude_none=True),
    }


def prepare(
    source: str,
    *,
    out: Path | None = None,
    copy: Path | None = None,
    minimum_count: int | None = None,
    options: Mapping[str, int] | None = None,
) -> Dataset:
    """Prepares a recipe, a folder or a described table; `copy` is the user's own copy of a recipe's files.

    Raises:
        DataError: the source breaks a rule; nothing is written then.
    """
    return prepare_source(source, out=out, copy=copy, minimum_count=minimum_count, options=options)


def _sampled_costs(space: SearchSpace, dataset: Dataset) -> list[int]:
    rng = np.random.default_rng(0)
    candidates = (space.sample(rng) for _ in range(SAMPLES))
    return [cost(one.architecture, dataset.schema).flops for one in candidates if one.architecture]


def _size(space: SearchSpace) -> float:
    """Assignments, choices under a condition counted as if it held: an upper bound."""
    return float(np.prod([float(len(decision.choices)) for decision in space.decisions()]))
