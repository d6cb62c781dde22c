"""Composition root: builds what a study needs from its configuration, once and in one place."""

from __future__ import annotations

import platform
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from automl import plugins
from automl._errors import StudyError
from automl._searcher import Searcher
from automl.config import StudyConfig, parse_config
from evaluators import Evaluator, Suggestion
from evaluators._datasets import Dataset, open_dataset
from searchspaces import SearchSpace, SearchSpaceError, zoo
from storage import StudyRecord, Tracker, masked


@dataclass(frozen=True)
class Wiring:
    """The parts of a running study."""

    dataset: Dataset
    space: SearchSpace
    searcher: Searcher
    evaluator: Evaluator
    tracker: Tracker | None
    baselines: tuple[Suggestion, ...]


def wire(record: StudyRecord) -> Wiring:
    """Builds the parts of a recorded study.

    Raises:
        StudyError: the data is not what the study began with.
    """
    config = parse_config(record.config, source=f"study {record.name!r}")
    dataset = open_dataset(config.data)
    known = record.facts.get("data", {}).get("digest")
    if known and known != dataset.digest:
        raise StudyError(
            f"a study goes on with the data it began with (digest {known}), but {config.data} has {dataset.digest}; "
            "restore the data, or start a new study"
        )
    context: dict[str, object] = {
        "schema": dataset.schema,
        "objectives": config.objective_list(),
        "dataset": dataset.folder,
        "study_seed": record.seed,
    }
    space: SearchSpace = plugins.construct("space", config.space, context)
    context["space"] = space
    return Wiring(
        dataset,
        space,
        plugins.construct("searcher", config.searcher, context),
        plugins.construct("evaluator", config.evaluator, context),
        plugins.construct("tracker", config.tracker, context) if config.tracker else None,
        _baselines(config, dataset),
    )


def new_record(config: StudyConfig) -> StudyRecord:
    """The record of a study that is about to begin; opens the data and builds the space, so that mistakes show now."""
    dataset = open_dataset(config.data)
    plugins.construct("space", config.space, {"schema": dataset.schema})
    metrics = "+".join(objective.metric for objective in config.objective_list())
    return StudyRecord(
        uid=uuid.uuid4().hex,
        name=config.study.name,
        seed=config.study.seed,
        problem=f"{dataset.name}:{metrics}",
        config=recorded(config),
        created_at=time.time(),
        facts={"data": _data_facts(dataset), "versions": versions()},
    )


def recorded(config: StudyConfig) -> dict[str, Any]:
    """The configuration as JSON types, passwords in URLs masked."""
    content = config.model_dump(mode="json")
    content["storage"] = masked(content["storage"])
    if content["tracker"]:
        content["tracker"] = {key: _masked(value) for key, value in content["tracker"].items()}
    return content


def versions() -> dict[str, str]:
    """Versions of what decides a number, found without importing it."""
    found = {"python": platform.python_version()}
    for name in ("ctr-automl", "torch", "numpy", "lightgbm"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _data_facts(dataset: Dataset) -> dict[str, Any]:
    return {
        "name": dataset.name,
        "digest": dataset.digest,
        "rows": dict(dataset.rows),
        "base_rate": dict(dataset.base_rate),
        "schema": dataset.schema.to_dict(),
    }


def _masked(value: object) -> object:
    return masked(value) if isinstance(value, str) else value


def _baselines(config: StudyConfig, dataset: Dataset) -> tuple[Suggestion, ...]:
    """The human-made architectures, without what this schema cannot feed; one that has nothing left stays out."""
    suggestions = []
    for name in config.baseline_names():
        try:
            candidate = zoo(name, dataset.schema)
        except SearchSpaceError:
            continue
        suggestions.append(Suggestion(candidate, origin=f"zoo:{name}"))
    return tuple(suggestions)


def facts_of(record: StudyRecord, key: str) -> Mapping[str, Any]:
    """One group of a study's facts ('data', 'versions'); empty where the study has none."""
    found: Mapping[str, Any] = record.facts.get(key, {})
    return found
