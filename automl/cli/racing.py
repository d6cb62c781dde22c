"""Verbs that make a tabular benchmark and let searchers race on it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def table(
    *,
    space: Annotated[str, typer.Option(help="Space to draw candidates from.")],
    data: Annotated[str, typer.Option(metavar="DATA", help="Data to train on.")],
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the table is made; run again to go on.")],
    options: Annotated[str, typer.Option(metavar="JSON", help="Options of the space.")] = "{}",
    count: Annotated[int, typer.Option(min=2, help="Candidates, no two of them one graph.")] = 600,
    replicates: Annotated[int, typer.Option(min=1, help="Trainings of each that searchers see.")] = 2,
    truth_top: Annotated[int, typer.Option(min=0, help="Best candidates that are trained again to judge by.")] = 100,
    truth_replicates: Annotated[int, typer.Option(min=0, help="Trainings of each of these.")] = 5,
    training: Annotated[
        str, typer.Option(metavar="JSON", help="Options of the evaluator 'train'.")
    ] = '{"threads": 1, "precision": "fp32"}',
    cohort: Annotated[int, typer.Option(min=1, help="Candidates of one pass over the data.")] = 8,
    seed: Annotated[int, typer.Option(min=0, help="Of candidates and trainings.")] = 1,
) -> None:
    """Train candidates of a small space once, to look them up ever after: trials.parquet and table.json in FOLDER."""
    from automl.bench.table.benchmark import table as measure
    from automl.bench.table.plan import Plan

    plan = Plan(
        {"name": space, **_object(options, "--options")},
        data,
        out,
        count=count,
        replicates=replicates,
        truth_top=truth_top,
        truth_replicates=truth_replicates,
        seed=seed,
        cohort=cohort,
        training=_object(training, "--training"),
    )
    typer.echo(json.dumps(measure(plan), indent=2))


def _object(text: str, name: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"{name} is a JSON object, but {text!r} is none: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{name} is a JSON object, not {text!r}")
    return found
