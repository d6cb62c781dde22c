"""Composition root: builds what a study needs from its configuration, once and in one place."""

from __future__ import annotations

import hashlib
import json
import os
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

HIDDEN = "***"


@dataclass(frozen=True)
class Wiring:
    """The parts of a running study."""

    dataset: Dataset
    space: SearchSpace
    searcher: Searcher
    evaluator: Evaluator
    tracker: Tracker | None
    baselines: tuple[Suggestion, ...]


def wire(record: StudyRecord, config: StudyConfig | None = None) -> Wiring:
    """Builds the parts of a recorded study; `config` is the live one where there is one, passwords and all.

    Raises:
        StudyError: the data is not what the study began with.
    """
    config = config or parse_config(record.config, source=f"study {record.name!r}")
    dataset = open_dataset(config.data)
    known = record.facts.get("data", {}).get("digest")
    if known and known != dataset.digest:
        raise StudyError(
            f"a study goes on with the data it began with (digest {known}), but {config.data} has {dataset.digest}; "
            "restore the data, or start a new study"
        )
    return wired(config, dataset)


def wired(config: StudyConfig, dataset: Dataset) -> Wiring:
    """Builds every part once, so that a wrong option shows before a study begins.

    Raises:
        ConfigError, SpaceError, EvaluatorError: an option is wrong.
    """
    context: dict[str, object] = {
        "schema": dataset.schema,
        "objectives": config.objective_list(),
        "dataset": dataset.folder,
        "study_seed": config.study.seed,
    }
    space: SearchSpace = plugins.construct("space", config.space, context)
    context["space"] = space
    return Wiring(
        dataset,
        space,
        plugins.construct("searcher", config.searcher, context),
        plugins.construct("evaluator", config.evaluator, context),
        _tracker(config.tracker, context),
        _baselines(config, dataset),
    )


def _tracker(spec: Mapping[str, Any] | None, context: Mapping[str, object]) -> Tracker | None:
    """The tracker; where its password was not kept, the address comes from the environment.

    Raises:
        StudyError: neither has the password.
    """
    if spec is None:
        return None
    if HIDDEN in str(spec.get("uri", "")):
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        if not uri:
            raise StudyError(
                f"passwords are not stored, so the tracker {spec['uri']} cannot be opened again; "
                "put its whole address into MLFLOW_TRACKING_URI"
            )
        spec = {**spec, "uri": uri}
    tracker: Tracker = plugins.construct("tracker", spec, context)
    return tracker


def new_record(config: StudyConfig, *, is_checked: bool) -> StudyRecord:
    """The record of a study that is about to begin; opens the data and builds every part, so that mistakes show now."""
    dataset = open_dataset(config.data)
    check(config, dataset, is_started=is_checked)
    metrics = "+".join(objective.metric for objective in config.objective_list())
    return StudyRecord(
        uid=uuid.uuid4().hex,
        name=config.study.name,
        seed=config.study.seed,
        problem=f"{dataset.name}:{metrics}",
        config=recorded(config),
        created_at=time.time(),
        facts={"data": _data_facts(dataset), "space": {"digest": _digest(config.space)}, "versions": versions()},
    )


def check(config: StudyConfig, dataset: Dataset, *, is_started: bool) -> Wiring:
    """Builds every part, with `is_started` the evaluator's process too, and lets go of it again.

    Raises:
        ConfigError, SpaceError, EvaluatorError: an option is wrong, or the evaluator cannot work.
    """
    wiring = wired(config, dataset)
    try:
        if is_started:
            wiring.evaluator.open()
    finally:
        wiring.evaluator.close()
    return wiring


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
        "base_rate": {part: rate for part, rate in dataset.base_rate.items() if part != "test"},
        "schema": dataset.schema.to_dict(),
    }


def _digest(spec: Mapping[str, Any]) -> str:
    """16 hexadecimal digits that name a space and its options."""
    return hashlib.sha256(json.dumps(spec, sort_keys=True).encode()).hexdigest()[:16]


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
