"""Verbs that measure: every figure in docs/benchmarks comes from one of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from automl.cli._options import Format, FormatOption, Out, json_object, numbers
from automl.cli._output import give
from automl.cli._trial_options import Choices, Exclude, Maximize, Where, check_unused, filters, goal_of
from automl.cli.racing import race, table
from automl.cli.search_benches import comparison, dnas, latency, order, supernet
from automl.cli.systems import cubicml, joint, runs


def register(app: typer.Typer) -> None:
    """Adds the verbs to the application."""
    bench = typer.Typer(help="Measure the platform itself.", no_args_is_help=True)
    verbs = (
        overhead,
        latency,
        kills,
        faults,
        throughput,
        preparation,
        comparison,
        audits,
        finals,
        reliability,
        evaluator,
        rechub,
        spaces,
        learning,
        sharding,
        table,
        race,
        predictors,
        simulator,
        supernet,
        order,
        dnas,
        runs,
        cubicml,
        joint,
    )
    for verb in verbs:
        bench.command()(verb)
    app.add_typer(bench, name="bench")


def overhead(
    *,
    trials: Annotated[int, typer.Option(min=20, help="Trials to run.")] = 5000,
    searcher: Annotated[str, typer.Option(help="Searcher to ask.")] = "random_search",
    out: Out = None,
) -> None:
    """Cost of ask, store, tracker and lists for each trial, at the first trials and at the last."""
    from automl.bench.overhead import overhead as measure

    give(measure(trials=trials, searcher=searcher), out)


def kills(
    *,
    count: Annotated[int, typer.Option("--kills", min=1, help="How often to kill.")] = 10,
    trials: Annotated[int, typer.Option(min=5, help="Trials of the search.")] = 40,
    seed: Annotated[int, typer.Option(help="Of the search and of the moments.")] = 1,
    out: Out = None,
) -> None:
    """`kill -9` a search at random moments, resume it, and compare it with an undisturbed one."""
    from automl.bench.kills import kills as measure

    give(measure(kills=count, trials=trials, seed=seed), out)


def faults(
    *,
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where findings are kept; run again to go on.")],
    only: Annotated[
        str | None, typer.Option(metavar="a,c", show_default="all", help="Rows to do, separated by commas.")
    ] = None,
    count: Annotated[int, typer.Option("--kills", min=1, help="Of each of the rows a and b.")] = 200,
    seed: Annotated[int, typer.Option(help="Of victims and moments.")] = 1,
    out: Out = None,
) -> None:
    """Kills, full disks, jumping clocks and more, done to real searches: what each of them costs."""
    from automl.bench.faults.finding import Finding, table
    from automl.bench.faults.matrix import faults as measure
    from automl.bench.faults.plan import Plan

    found = measure(Plan(folder, kills=count, seed=seed), only.split(",") if only else ())
    if out is not None:
        give(found, out)
    typer.echo(table([Finding.from_dict(row) for row in found["rows"]]), nl=False)


def throughput(
    *,
    trials: Annotated[int, typer.Option(min=10, help="Trials of each system.")] = 10_000,
    workers: Annotated[int, typer.Option(min=2, help="Processes of each system.")] = 8,
    storage: Annotated[str | None, typer.Option(metavar="URL", help="Also a database server, with ours.")] = None,
    peer_trials: Annotated[
        int | None, typer.Option(min=10, show_default="as ours", help="Trials of each peer.")
    ] = None,
    out: Out = None,
) -> None:
    """Trials per second of many workers on one store, beside Optuna's storages in the same run."""
    from automl.bench.throughput import throughput as measure

    give(measure(trials=trials, workers=workers, storage=storage, peer_trials=peer_trials), out)


def preparation(
    *,
    rows: Annotated[
        str, typer.Option(metavar="N,M", help="Sizes to measure, separated by commas.")
    ] = "1000000,4000000,16000000",
    folder: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Where files are generated, about 1.2 GB a million rows.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of what is generated.")] = 1,
    out: Out = None,
) -> None:
    """Memory and time of preparing generated tables and of training on them; figures in --out are not taken again."""
    from automl.bench.preparation import preparation as measure

    sizes = [int(size) for size in rows.split(",") if size.strip().isdecimal() and int(size) >= 1000]
    if len(sizes) != len(rows.split(",")):
        raise typer.BadParameter(f"sizes are whole numbers of at least 1000, separated by commas, not {rows!r}")
    give(measure(sizes, kept=out, folder=folder, seed=seed), out)


def audits(
    *,
    count: Annotated[int, typer.Option("--audits", min=1, help="Audits of each planted rung.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of labels and resamples.")] = 1,
    out: Out = None,
) -> None:
    """How often the fidelity audit accepts and refuses planted rungs: wrong ones, noisy ones, good ones."""
    from automl.bench.audits import audits as measure

    give(measure(audits=count, seed=seed), out)


def finals(
    *,
    simulations: Annotated[int, typer.Option(min=1, help="Finals of each kind.")] = 2000,
    seed: Annotated[int, typer.Option(min=0, help="Of what is planted.")] = 1,
    drawing: Annotated[Path | None, typer.Option(metavar="SVG", help="Also draw the power curves.")] = None,
    out: Out = None,
) -> None:
    """False winners on planted ties, and the power on planted winners, of the verdict of finals."""
    from automl._files import write_text
    from automl.bench.finals import finals as measure
    from automl.bench.power_curves import power_curves

    found = measure(simulations=simulations, seed=seed)
    if drawing is not None:
        write_text(drawing, power_curves(found))
    give(found, out)


def reliability(
    *,
    data: Annotated[str, typer.Option(metavar="DATA", help="Prepared folder, or a source that can be prepared.")],
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where trainings are kept; run again to go on.")],
    architectures: Annotated[int, typer.Option(min=4, help="Random candidates.")] = 40,
    replicates: Annotated[int, typer.Option(min=2, help="Trainings of each, by each loop.")] = 5,
    rows: Annotated[int | None, typer.Option(min=1000, show_default="all", help="The newest training rows.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of candidates and trainings.")] = 1,
    precision: Annotated[str, typer.Option(metavar="bf16|fp32", help="Of both loops.")] = "bf16",
    minutes: Annotated[float | None, typer.Option(min=0, help="Train no longer, and compare what is complete.")] = None,
    out: Out = None,
) -> None:
    """What share of one evaluation's variance is the candidate's own quality, beside a plain training loop."""
    from automl.bench.reliability.benchmark import Plan
    from automl.bench.reliability.benchmark import reliability as measure

    if precision not in ("bf16", "fp32"):
        raise typer.BadParameter(f"'precision' is bf16 or fp32, not {precision!r}")
    plan = Plan(data, folder, architectures, replicates, rows=rows, seed=seed, precision=precision, minutes=minutes)
    give(measure(plan), out)


def evaluator(
    *,
    data: Annotated[str, typer.Option(metavar="FOLDER", help="Data to train on.")],
    candidates: Annotated[int, typer.Option(min=1, help="Of each size class in each of two processes.")] = 8,
    cohort: Annotated[int, typer.Option(min=1, help="Candidates of one pass.")] = 8,
    rows: Annotated[int | None, typer.Option(min=1000, show_default="all", help="Training rows, the newest.")] = None,
    rounds: Annotated[int, typer.Option(min=1, help="Of each comparison.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of architectures and trainings.")] = 1,
    only: Annotated[
        str, typer.Option(metavar="a,b", help="Parts; others stay in --out.")
    ] = "limit,cohorts,throughput,compiled,grouped",
    out: Out = None,
) -> None:
    """Trials an hour beside a plain loop, what cohorts bring, and training speed over what the machine allows."""
    from automl.bench.evaluator.measure import PARTS, Plan
    from automl.bench.evaluator.measure import evaluator as measure

    parts = tuple(only.split(","))
    if not set(parts) <= set(PARTS):
        raise typer.BadParameter(f"parts are {', '.join(PARTS)}, separated by commas, not {only!r}")
    plan = Plan(data, candidates=candidates, cohort=cohort, rows=rows, rounds=rounds, seed=seed, parts=parts)
    for found in measure(plan, kept=out):
        give(found, out)  # after each part, so that a run that is stopped has what it measured


def rechub(
    *,
    data: Annotated[str, typer.Option(metavar="DATA", help="Data to train on.")],
    python: Annotated[str, typer.Option(metavar="PATH", help="Interpreter of an environment with torch-rechub 0.9.")],
    rows: Annotated[int, typer.Option(min=1000, help="Training rows, the newest.")] = 50_000,
    rounds: Annotated[int, typer.Option(min=1, help="Of each comparison.")] = 2,
    out: Out = None,
) -> None:
    """Examples a second of DCNv2 and DeepFM beside torch-rechub in an environment of its own."""
    from automl.bench.rechub.measure import Plan
    from automl.bench.rechub.measure import rechub as measure

    give(measure(Plan(data, python, rows=rows, rounds=rounds)), out)


def spaces(
    *,
    space: Annotated[str, typer.Option(metavar="NAME|all", help="Space to draw from; what --out has is kept of all.")],
    count: Annotated[int, typer.Option(min=1, help="Random candidates.")] = 10_000,
    seed: Annotated[int, typer.Option(min=0, help="Of the draws.")] = 1,
    options: Annotated[str, typer.Option(metavar="JSON", help="Options of the space.")] = "{}",
    out: Out = None,
) -> None:
    """Random candidates of a space, with mutants and children, held to what every space promises."""
    from automl.bench.spaces import Plan, every_space
    from automl.bench.spaces import spaces as measure

    if space != "all":
        give(measure(Plan(space, count, seed=seed, options=json_object(options, "--options")), tell=_to_stderr), out)
        return
    if options != "{}":
        raise typer.BadParameter("each space has options of its own; give them to one space by its name")
    found: dict[str, Any] = {}
    for found in every_space(count, seed, kept=out, tell=_to_stderr):
        if out is not None:
            give(found, out)  # after each space, so that a run that is stopped has what it measured
    if out is None:
        give(found, None)


def sharding(
    *,
    data: Annotated[str, typer.Option(metavar="DATA", help="Data to train on.")],
    model: Annotated[str, typer.Option(help="Name in the zoo.")] = "dcnv2",
    ranks: Annotated[int, typer.Option(min=2, help="Processes of one training.")] = 4,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Trainings of each way.")] = 5,
    batch_size: Annotated[int, typer.Option(min=1, help="Rows of a batch of all ranks.")] = 1024,
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of a training; one pass if not given.")] = None,
    out: Out = None,
) -> None:
    """What groups of ranks and types between them do to NE, with and without the moment scale."""
    from automl.bench.sharding import Plan
    from automl.bench.sharding import sharding as measure

    give(measure(Plan(data, model, ranks, seeds, batch_size, steps), tell=_to_stderr), out)


def _to_stderr(line: str) -> None:
    typer.echo(line, err=True)


def learning(
    *,
    only: Annotated[
        str | None, typer.Option(metavar="a,b", show_default="all", help="Tests to run, separated by commas.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1000, help="Rows to train on, and as many to measure on.")] = 50_000,
    seeds: Annotated[int, typer.Option(min=1, help="Seeds of data and training.")] = 3,
    seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """Effects planted in data: whether the blocks that can say them learn them, and the others do not."""
    from automl.bench.learning.measure import Plan
    from automl.bench.learning.measure import learning as measure
    from automl.cli._output import emit

    plan = Plan(tuple(only.split(",")) if only else (), rows=rows, measured_rows=rows, seeds=seeds, seed=seed)
    found = measure(plan)
    if out is not None or layout is Format.JSON:
        give(found, out)
    if layout is not Format.JSON:
        emit([{"test": test["test"], **claim} for test in found["tests"] for claim in test["claims"]], layout)


def predictors(
    *,
    trials: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Finished trials: csv, jsonl (or .gz) or parquet.")
    ] = None,
    table: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Or a table of architectures, of 'bench table'.")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            metavar="M", help="What to predict: a column, or several by the name that they share; ne in a table."
        ),
    ] = None,
    maximize: Maximize = None,
    train: Annotated[str, typer.Option(metavar="N,M", help="Trials to train on, separated by commas.")] = "20,50,100",
    repeats: Annotated[int, typer.Option(min=1, help="Draws of training and held-out trials.")] = 20,
    names: Annotated[
        str | None, typer.Option("--predictors", metavar="a,b:option=value", help="Which ones; all if unsaid.")
    ] = None,
    where: Where = None,
    exclude: Exclude = None,
    choices: Choices = None,
    seed: Annotated[int, typer.Option(min=0, help="Of draws and predictors.")] = 1,
    held_out: Annotated[int, typer.Option(min=10, help="The most candidates to predict in a repeat.")] = 1000,
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """How well predictors order trials that they have not seen: tau, its noise ceiling, and regret over repeats."""
    from automl._files import write_text
    from automl.bench.predictors.measure import Plan
    from automl.bench.predictors.measure import predictors as measure
    from automl.bench.predictors.pool import pool_of_file, pool_of_table
    from automl.bench.trial_files.source import Source
    from automl.cli._predictor_table import show

    if table is not None and trials is None:
        check_unused({"--maximize": maximize, "--where": where, "--exclude": exclude, "--choices": choices})
        pool = pool_of_table(table, metric or "ne")
    elif trials is not None and metric is not None and table is None:
        columns = tuple(exclude or ()), tuple(choices or ())
        pool = pool_of_file(Source(trials, metric, goal_of(maximize), None, filters(where), *columns))
    else:
        raise typer.BadParameter("predictors are compared on --trials FILE with its --metric, or on a --table")
    chosen = tuple(names.split(",")) if names else ()
    for found in measure(pool, Plan(numbers(train), repeats, chosen, seed, held_out), kept=out):
        if out is not None:  # after each repeat: a run that is stopped goes on there
            write_text(out, json.dumps(found, indent=2) + "\n")
    show(found, layout)


def simulator(
    *,
    coefficients: Annotated[
        Path | None, typer.Option(metavar="PATH", help="Also write the file of coefficients that the evaluator reads.")
    ] = None,
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """How close the model of a cluster comes to published trainings that its coefficients have not seen."""
    from automl.bench.simulator.measure import simulator as measure
    from automl.bench.simulator.measure import write_coefficients
    from automl.cli._output import emit

    found = measure()
    if coefficients is not None:
        write_coefficients(coefficients, found)
    if out is not None or layout is Format.JSON:
        give(found, out)
    if layout is not Format.JSON:
        shown = ("round", "system", "measured", "predicted_left_out", "error")
        emit([{name: row[name] for name in shown} for row in found["rows"]], layout)
