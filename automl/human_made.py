"""The human-made architectures as people look at them: what there is, what it costs, how well it does from scratch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

from automl._errors import AutomlError
from evaluators import Evaluation, Failure, Suggestion
from evaluators._datasets import open_dataset
from evaluators.train import Train
from searchspaces import Candidate, FeatureSchema, SearchSpaceError, zoo, zoo_names, zoo_paper
from searchspaces.cost import cost


@dataclass(frozen=True)
class FromScratch:
    """How a human-made model is trained: over so many replicates of a study of that seed, on so many latest rows."""

    seeds: int = 1
    seed: int = 0
    rows: int | None = None
    device: str = "auto"
    threads: int | None = None


def schema_of(data: str | Path) -> FeatureSchema:
    """The fields of prepared data, of a source, or of a YAML that only describes them."""
    return open_dataset(data).schema


def zoo_rows(schema: FeatureSchema | None = None) -> list[dict[str, Any]]:
    """One row an architecture: name, paper, blocks, and with a schema what it costs there.

    `params`, `macs` and `flops` are null where the schema feeds no part of it.
    """
    return [_row(name, schema) for name in zoo_names()]


def train_human_made(name: str, data: str | Path, plan: FromScratch) -> list[dict[str, Any]]:
    """Trains from scratch as a search would, and measures on the validation part; one row a replicate.

    Raises:
        CandidateError: there is no such name.
        ArchitectureError: the data's fields feed no part of it.
        AutomlError: no replicate could be trained.
    """
    dataset = open_dataset(data)
    candidate = zoo(name, dataset.schema)
    evaluator = Train(dataset.folder, plan.seed, rows=plan.rows, device=plan.device, threads=plan.threads)
    try:
        cohort = [Suggestion(candidate, replicate=replicate, origin=f"zoo:{name}") for replicate in range(plan.seeds)]
        found = sorted(
            (position, outcome)
            for one in _parts(cohort, evaluator.cohort_size)
            for position, outcome in _evaluated(evaluator, one)
        )
    finally:
        evaluator.close()
    rows = [_outcome_row(replicate, outcome) for replicate, outcome in found]
    if all(row["ne"] is None for row in rows):
        raise AutomlError(f"{name!r} could not be trained on {dataset.name}: {rows[0]['failure']}")
    return rows


def spread_words(name: str, rows: Sequence[dict[str, Any]]) -> str:
    """Mean and standard deviation of NE over the replicates, in a sentence."""
    values = [row["ne"] for row in rows if row["ne"] is not None]
    deviation = f" ± {stdev(values):.4f} over {len(values)} replicates" if len(values) > 1 else " (one replicate)"
    return f"{name}: ne {fmean(values):.4f}{deviation} on the validation part"


def _row(name: str, schema: FeatureSchema | None) -> dict[str, Any]:
    price = None if schema is None else _price(name, schema)
    architecture = zoo(name).architecture
    blocks = dict.fromkeys(node.block for node in architecture.nodes) if architecture else ()
    costs = {} if schema is None else dict.fromkeys(("params", "macs", "flops"))
    if price is not None:
        costs = {"params": price.parameters, "macs": price.macs, "flops": price.flops}
    return {"name": name, **costs, "blocks": list(blocks), "paper": zoo_paper(name)}


def _price(name: str, schema: FeatureSchema) -> Any:
    try:
        candidate: Candidate = zoo(name, schema)
        return cost(candidate.architecture, schema) if candidate.architecture else None
    except SearchSpaceError:
        return None


def _parts(cohort: Sequence[Suggestion], size: int) -> list[Sequence[Suggestion]]:
    return [cohort[first : first + size] for first in range(0, len(cohort), size)]


def _evaluated(evaluator: Train, part: Sequence[Suggestion]) -> list[tuple[int, Evaluation | Failure]]:
    """By replicate."""
    return [(part[position].replicate, outcome) for position, outcome in evaluator.evaluate(part)]


def _outcome_row(replicate: int, outcome: Evaluation | Failure) -> dict[str, Any]:
    metrics = outcome.metrics if isinstance(outcome, Evaluation) else {}
    named = {name: metrics[name].value if name in metrics else None for name in ("ne", "auc", "logloss", "calibration")}
    return {
        "replicate": replicate,
        **named,
        "ne_stderr": metrics["ne"].stderr if "ne" in metrics else None,
        "params": int(metrics["params"].value) if "params" in metrics else None,
        "flops": int(metrics["flops"].value) if "flops" in metrics else None,
        "seconds": outcome.seconds,
        "failure": outcome.reason if isinstance(outcome, Failure) else None,
    }
