"""Verbs that measure searchers and methods: what they cost, what they find, how far their order is to be trusted."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from automl.cli._options import Format, FormatOption, Out, json_object, numbers
from automl.cli._output import give


def latency(
    *,
    searchers: Annotated[
        str, typer.Option(metavar="a,b:option=value", help="Searchers to ask.")
    ] = "wl_ehvi,autoctr,predictor_rl",
    sizes: Annotated[str, typer.Option("--trials", metavar="N,M", help="Trials on record.")] = "100,1000",
    asks: Annotated[int, typer.Option(min=1, help="Asks on each record, after the first.")] = 21,
    seed: Annotated[int, typer.Option(min=0, help="Of trials and asks.")] = 1,
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """Seconds that searchers think, on a record of so many planted trials."""
    from automl.bench.latency import latency as measure
    from automl.bench.race.benchmark import entrants_of
    from automl.cli._output import emit

    specs = [one.spec for one in entrants_of(searchers)]
    found = measure(specs, sizes=numbers(sizes), asks=asks, seed=seed)
    if out is not None or layout is Format.JSON:
        give(found, out)
    if layout is not Format.JSON:
        emit(found["rows"], layout)


def comparison(
    *,
    data: Annotated[str, typer.Option(metavar="FOLDER", help="Data of the searches.")],
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where results are kept; run again to go on.")],
    searchers: Annotated[str, typer.Option(help="Searchers, separated by commas.")] = "autoctr,random_search",
    trials: Annotated[int, typer.Option(min=1, help="Trials a search.")] = 100,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, show_default="no limit", help="CPU time a search, in place of trials.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, show_default="all", help="Rows of a search's training.")] = None,
    seed: Annotated[int, typer.Option(help="Of the searches, the first where there are several runs.")] = 1,
    runs: Annotated[int, typer.Option(min=1, help="Searches of each searcher, under one seed after the other.")] = 1,
    seeds: Annotated[int, typer.Option(min=1, help="Trainings of each finalist, on the test part.")] = 5,
    threads: Annotated[
        int | None, typer.Option(min=1, show_default="all", help="Threads of a search's trainings.")
    ] = None,
    out: Out = None,
) -> None:
    """Search with each searcher under the same seeds, then train winners and baselines anew over seeds."""
    from automl.bench.comparison.benchmark import comparison as measure
    from automl.bench.comparison.searches import Plan

    names = tuple(searchers.split(","))
    plan = Plan(data, folder, names, trials, seed, seeds, threads, runs=runs, minutes=minutes, rows=rows)
    give(measure(plan), out)


def supernet(
    *,
    table: Annotated[Path, typer.Option(metavar="FOLDER", help="Table of trainings from scratch, of 'bench table'.")],
    data: Annotated[str, typer.Option(metavar="DATA", help="The data that it is of.")],
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where supernets are kept; run again to go on.")],
    rows: Annotated[
        int | None, typer.Option(min=1, show_default="one pass", help="Rows that a supernet trains on.")
    ] = None,
    batch_size: Annotated[int, typer.Option("--batch", min=1, help="Rows of a step.")] = 256,
    calibration: Annotated[int, typer.Option(min=1, help="Rows that sub-networks are adapted and fitted to.")] = 8192,
    adapt: Annotated[int, typer.Option(min=1, help="Passes over them that adapt all layers.")] = 1,
    window: Annotated[int, typer.Option(min=100, help="Validation rows of a score.")] = 8192,
    seeds: Annotated[int, typer.Option(min=2, help="Supernets of each kind.")] = 2,
    seed: Annotated[int, typer.Option(min=0, help="Of the supernets.")] = 1,
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """How well a supernet orders candidates that were trained from scratch, with its parts on and off."""
    from automl.bench.supernet.benchmark import supernet as measure
    from automl.bench.supernet.plan import Plan
    from automl.cli._output import emit

    scoring = {"calibration_rows": calibration, "adapt": adapt, "window": window}
    found = measure(Plan(table, data, folder, rows, batch_size=batch_size, seeds=seeds, seed=seed, **scoring))
    if out is not None or layout is Format.JSON:
        give(found, out)
    if layout is not Format.JSON:
        shown = ("variant", "tau", "interval", "ceiling", "share", "reliability_of_a_score", "tau_less_than_all_on")
        emit([{name: row[name] for name in shown} for row in found["variants"]], layout)


def order(
    *,
    data: Annotated[str, typer.Option(metavar="DATA", help="Data of the stream.")],
    folder: Annotated[Path, typer.Option(metavar="FOLDER", help="Where records are kept; run again to go on.")],
    space: Annotated[str, typer.Option(metavar="NAME", help="Space of the sub-networks.")] = "rankitect_scratch",
    options: Annotated[str, typer.Option(metavar="JSON", help="Options of the space.")] = "{}",
    pairs: Annotated[int, typer.Option(min=1, help="Random pairs of sub-networks.")] = 40,
    rows: Annotated[int, typer.Option(min=1, help="Rows of the stream.")] = 150_000,
    batch_size: Annotated[int, typer.Option("--batch", min=1, help="Rows of a step.")] = 128,
    trained: Annotated[
        float, typer.Option(min=0, max=1, help="Share of the stream before the weights stand still.")
    ] = 0.5,
    warm_up: Annotated[float, typer.Option(min=0, max=1, help="Share in which the full path is drawn.")] = 0.15,
    rate: Annotated[float, typer.Option(min=1e-6, help="Learning rate of the supernet.")] = 0.02,
    baseline: Annotated[str, typer.Option(metavar="NAME", help="Human-made model to train in place.")] = "deepfm",
    seed: Annotated[int, typer.Option(min=0, help="Of weights, stream and pairs.")] = 1,
    layout: FormatOption = Format.TABLE,
    out: Out = None,
) -> None:
    """Batches to put two sub-networks in order by their losses, with a baseline trained in place and without."""
    from automl.bench.order.benchmark import order as measure
    from automl.bench.order.recording import Plan
    from automl.cli._output import emit

    plan = Plan(
        data,
        space,
        folder,
        json_object(options, "--options"),
        pairs=pairs,
        rows=rows,
        batch_size=batch_size,
        trained=trained,
        warm_up=warm_up,
        learning_rate=rate,
        baseline=baseline,
        seed=seed,
    )
    found = measure(plan)
    if out is not None or layout is Format.JSON:
        give(found, out)
    if layout is not Format.JSON:
        emit(found["ways"], layout)


def dnas(
    *,
    seeds: Annotated[int, typer.Option(min=1, help="Searches of each arm.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="The first of them.")] = 1,
    arms: Annotated[
        str | None, typer.Option(metavar="a;b", show_default="all", help="Arms to run, separated by semicolons.")
    ] = None,
    rows: Annotated[int, typer.Option(min=1000, help="Rows that weights learn from in a usual search.")] = 192_000,
    out: Out = None,
) -> None:
    """Differentiable search on planted clicks: are their operators found, is the target held, is collapse told?"""
    from automl.bench.dnas.measure import ARMS, Plan
    from automl.bench.dnas.measure import dnas as measure

    chosen = tuple(arms.split(";")) if arms else tuple(ARMS)
    if not set(chosen) <= set(ARMS):
        raise typer.BadParameter(f"arms are {'; '.join(ARMS)}, not {arms!r}")
    found: dict[str, Any] = {}
    for found in measure(Plan(chosen, seeds, seed, rows), kept=out):
        if out is not None:
            give(found, out)  # after each search, so that a run that is stopped has what it measured
    if out is None:
        give(found, None)
