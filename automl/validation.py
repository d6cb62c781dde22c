"""Checks a study before its first trial, and prepares data by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from automl._rehearsing import Outlook, rehearse
from automl._wiring import Wiring, check
from automl.config import StudyConfig
from evaluators._datasets import Dataset, open_dataset
from evaluators._datasets.preparation import prepare as prepare_source
from searchspaces import Decision, count_assignments


def facts(config: StudyConfig, *, workers: int = 1, is_quick: bool = False) -> dict[str, Any]:
    """What a valid configuration amounts to: rows, fields, decisions, typical cost, and what its search would take.

    Every operator is tried on the data; with `is_quick` nothing is timed, so hours, memory and disk stay unknown.

    Raises:
        DataError: the data cannot be read.
        SpaceError: the space has no valid candidate for this data.
        EvaluatorError: the evaluator cannot work.
    """
    dataset = open_dataset(config.data)
    # a rehearsal starts the process of `train` as a search would
    wiring = check(config, dataset, is_started=config.evaluator["name"] != "train")
    return {**_settled(config, wiring), **_foreseen(rehearse(config, wiring, workers=workers, is_timed=not is_quick))}


def prepare(
    source: str,
    *,
    out: Path | None = None,
    copy: Path | None = None,
    minimum_count: int | None = None,
    options: Mapping[str, int | str] | None = None,
) -> Dataset:
    """Prepares a recipe, a folder or a described table; `copy` is the user's own copy of a recipe's files.

    Raises:
        DataError: the source breaks a rule; nothing is written then.
    """
    return prepare_source(source, out=out, copy=copy, minimum_count=minimum_count, options=options)


def _settled(config: StudyConfig, wiring: Wiring) -> dict[str, Any]:
    dataset = wiring.dataset
    return {
        "study": config.study.name,
        "data": dataset.name,
        "digest": dataset.digest,
        "rows": " ".join(f"{part} {rows}" for part, rows in dataset.rows.items()),
        "fields": f"{len(dataset.schema.numeric)} numeric, {len(dataset.schema.categorical)} categorical",
        "space": f"{config.space['name']}, {_size(wiring.space.decisions())}",
        "searcher": config.search_name(),
        "evaluator": config.evaluator["name"],
        "objectives": " ".join(f"{one.metric} ({one.goal.value})" for one in config.objective_list()),
        "budget": config.budget.model_dump(exclude_none=True),
    }


def _foreseen(outlook: Outlook) -> dict[str, Any]:
    flops = [one.flops for one in outlook.drawn]
    return {
        "flops": f"{min(flops)} to {max(flops)} an example in {len(flops)} random candidates" if flops else None,
        "operators": {one.name: f"{one.state} {one.reason}".strip() for one in outlook.operators},
        "prediction": outlook.prediction.to_dict() if outlook.prediction else None,
        "problems": list(outlook.problems),
        "warnings": list(outlook.warnings),
        "not_predicted": list(outlook.unknown),
    }


def _size(decisions: Sequence[Decision]) -> str:
    """How many ways there are to decide: in full while a person can read it, and large ones are beyond any float."""
    count = count_assignments(decisions)
    told = f"{count:,}" if count < 1_000_000 else f"{Decimal(count):.2e}"
    return f"{len(decisions)} decisions, {told} assignments"
