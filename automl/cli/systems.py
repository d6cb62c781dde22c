"""Verbs that measure training systems, and how well searchers find the fast ones."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from automl.cli._options import Format, FormatOption, Out, json_object


def runs(
    *,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="Where the table is made; run again to go on.")],
    data: Annotated[str, typer.Option(metavar="DATA", help="Data to train on; 'none' for a simulated cluster.")],
    space: Annotated[
        str, typer.Option(metavar="JSON", help="Space of settings, with its options.")
    ] = '{"name": "run_settings"}',
    evaluator: Annotated[
        str, typer.Option(metavar="JSON", help="What measures them, with its options.")
    ] = '{"name": "measured_run"}',
    metric: Annotated[str, typer.Option(help="What the best are chosen by.")] = "speed_ratio",
    count: Annotated[int, typer.Option(min=2, help="Settings, no two of them alike.")] = 500,
    top: Annotated[int, typer.Option(min=0, help="Best settings that are measured again to judge by.")] = 20,
    repeats: Annotated[int, typer.Option(min=0, help="Measurements of each of these.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of settings and trainings.")] = 1,
) -> None:
    """Measure settings of a training system once, and look them up ever after: makes a table as 'bench table' does."""
    from automl.bench.runs import Plan
    from automl.bench.runs import runs as measure

    spaces, evaluators = json_object(space, "--space"), json_object(evaluator, "--evaluator")
    plan = Plan(out, data, spaces, evaluators, metric, count, top, repeats, seed)
    typer.echo(json.dumps(measure(plan), indent=2))


def cubicml(
    *,
    table: Annotated[Path, typer.Option(metavar="FOLDER", help="Table of runs, of 'bench runs'.")],
    metric: Annotated[str, typer.Option(help="Metric of the table.")] = "speed_ratio",
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each searcher.")] = 50,
    count: Annotated[int, typer.Option("--runs", min=2, help="Runs of a search.")] = 40,
    train: Annotated[int, typer.Option(min=8, help="Runs that the predictor learns from.")] = 64,
    guide: Annotated[
        str | None,
        typer.Option(
            metavar="name:option=value", help="Predictor; roofline if unsaid, without calibration if simulated."
        ),
    ] = None,
    log: Annotated[Path, typer.Option(metavar="FILE", help="Where every search is kept; run again to go on.")] = Path(
        "cubicml.jsonl"
    ),
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """How near searchers of training systems come to the best of a table of runs, and how well it is predicted."""
    from automl._files import write_text
    from automl.bench.cubicml import Plan
    from automl.bench.cubicml import cubicml as measure
    from automl.cli._output import emit

    found = measure(Plan(table, log, metric, seeds, count, train, guide=guide))
    text = json.dumps(found, indent=2) + "\n"
    if out is not None:
        write_text(out, text)
    if layout is Format.JSON:
        typer.echo(text, nl=False)
        return
    emit(found["searchers"], layout)
    emit([{"table": found["table"], "of": found["of"], "guide": found["guide"], **found["predictor"]}], layout)


def joint(
    *,
    data: Annotated[str, typer.Option(metavar="FOLDER", help="Data of the searches.")],
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where results are kept; run again to go on.")],
    trials: Annotated[int, typer.Option(min=4, help="Trials of each way to search, under each seed.")] = 60,
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each way.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    rows: Annotated[int | None, typer.Option(min=1, show_default="all", help="Rows of a training.")] = None,
    metric: Annotated[
        str, typer.Option(help="The speed: speed_ratio, beside a control, or examples_per_second.")
    ] = "speed_ratio",
    architecture: Annotated[
        str, typer.Option(metavar="JSON", help="Space of models, with its options.")
    ] = '{"name": "autoctr"}',
    system: Annotated[
        str | None,
        typer.Option(metavar="JSON", show_default="run_settings", help="Space of ways to train, with its options."),
    ] = None,
    quality: Annotated[
        str | None, typer.Option(metavar="JSON", show_default="train", help="What measures NE, with its options.")
    ] = None,
    speed: Annotated[
        str | None, typer.Option(metavar="JSON", show_default="measured_run", help="What measures the speed.")
    ] = None,
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """Fronts of NE against speed: architecture and system together, one after the other, and by chance."""
    from automl.bench.joint.benchmark import front_rows
    from automl.bench.joint.benchmark import joint as measure
    from automl.bench.joint.searches import QUALITY, SPEED, SYSTEM, Plan
    from automl.cli._output import emit, give

    trained = {**(json_object(quality, "--quality") if quality else QUALITY), **({"rows": rows} if rows else {})}
    plan = Plan(
        data,
        folder,
        trials,
        seed=seed,
        seeds=seeds,
        metric=metric,
        architecture=json_object(architecture, "--architecture"),
        system=json_object(system, "--system") if system else SYSTEM,
        quality=trained,
        speed=json_object(speed, "--speed") if speed else SPEED,
    )
    found = measure(plan)
    if out is not None or layout is Format.JSON:
        give(found, out)
    if layout is not Format.JSON:
        emit([{key: value for key, value in row.items() if key != "front"} for row in found["arms"]], layout)
        emit(front_rows(found), layout, columns=("arm", "ne", metric, "examples_per_second"))
