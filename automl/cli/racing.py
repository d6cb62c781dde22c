"""Verbs that make a tabular benchmark and let searchers race on it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli._options import json_object
from automl.cli._trial_options import Choices, Exclude, Maximize, Where, check_unused, filters, goal_of

if TYPE_CHECKING:
    from automl.bench.race.log import Log


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
        {"name": space, **json_object(options, "--options")},
        data,
        out,
        count=count,
        replicates=replicates,
        truth_top=truth_top,
        truth_replicates=truth_replicates,
        seed=seed,
        cohort=cohort,
        training=json_object(training, "--training"),
    )
    typer.echo(json.dumps(measure(plan), indent=2))


class Form(StrEnum):
    """How the tables of a race are printed."""

    TABLE = "table"
    JSON = "json"


def race(
    *,
    searchers: Annotated[
        str | None,
        typer.Option(
            metavar="a,b:option=value", help="Searchers, syne_tune_cqr too; the first is compared with each other."
        ),
    ] = None,
    trials: Annotated[
        list[str] | None,
        typer.Option(metavar="N|FILE", help="Trials of a run, 100 if unsaid; given again, a file of finished trials."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each searcher.")] = 200,
    table: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Table to race on, of 'bench table'; ours if unsaid.")
    ] = None,
    objectives: Annotated[
        str, typer.Option(metavar="a,b", help="Metrics of the table: quality, then what costs.")
    ] = "ne,flops",
    metric: Annotated[str | None, typer.Option(help="Metric in a file of trials.")] = None,
    maximize: Maximize = None,
    cost: Annotated[str | None, typer.Option(help="Metric of a file of trials that costs.")] = None,
    where: Where = None,
    exclude: Exclude = None,
    choices: Choices = None,
    initial: Annotated[int, typer.Option(min=0, help="First trials of a run, random and shared by all.")] = 20,
    judge: Annotated[
        str | None, typer.Option(metavar="name:option=value", help="Predictor by which winners are declared too.")
    ] = None,
    log: Annotated[Path, typer.Option(metavar="FILE", help="Where every run is kept; run again to go on.")] = Path(
        "race.jsonl"
    ),
    first_seed: Annotated[
        int, typer.Option(min=0, help="Of these runs: parts of a race may have logs of their own.")
    ] = 0,
    regenerate: Annotated[
        list[Path] | None,
        typer.Option("--from", metavar="LOG", help="Only make the tables of a log; repeat it for parts."),
    ] = None,
    form: Annotated[Form, typer.Option("--format", help="How to print the tables.")] = Form.TABLE,
    out: Annotated[Path | None, typer.Option(metavar="FILE.html", help="Also write a report.")] = None,
) -> None:
    """Let searchers race on a table or on finished trials, judged by what their declared winners are truly worth."""
    from automl.bench.race.log import Log

    if regenerate:
        _show(Log.merged(regenerate), form, out)
        return
    from automl.bench.race.benchmark import Plan, entrants_of, spec_of
    from automl.bench.race.benchmark import race as measure
    from automl.bench.race.ground import course_on
    from automl.bench.race.running import Rules
    from automl.bench.trial_files.source import Source

    if not searchers:
        raise typer.BadParameter("name --searchers, separated by commas, or a log with --from")
    count, file = _count_and_file(trials or [])
    if (file is None) != (metric is None) or (file is not None and table is not None):
        raise typer.BadParameter("a race is on a --table, or on --trials FILE with its --metric")
    source = None
    if file is not None and metric is not None:
        columns = tuple(exclude or ()), tuple(choices or ())
        source = Source(file, metric, goal_of(maximize), cost, filters(where), *columns)
    else:
        given = {"--maximize": maximize, "--cost": cost, "--where": where, "--exclude": exclude, "--choices": choices}
        check_unused(given)
    course = course_on(source, table, objectives.split(","))
    rules = Rules(count, initial, spec_of(judge) if judge else None)
    _show(measure(course, Plan(entrants_of(searchers), seeds, log, rules, first_seed)), form, out)


def _count_and_file(values: Sequence[str]) -> tuple[int, Path | None]:
    counts = [int(value) for value in values if value.isdecimal()]
    files = [Path(value) for value in values if not value.isdecimal()]
    if len(counts) > 1 or len(files) > 1:
        raise typer.BadParameter(f"--trials is a number, a file, or each of them once, but is {', '.join(values)}")
    return counts[0] if counts else 100, files[0] if files else None


def _show(log: Log, form: Form, out: Path | None) -> None:
    from automl.bench.race.tables import scores_of, tables
    from automl.bench.race.words import as_text, duel_rows, standing_rows

    scores = scores_of(log)
    found = tables(log, scores=scores)
    if out is not None:
        from automl.bench.race.report import write_report

        write_report(out, log, scores=scores)
    if form is Form.JSON:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(f"{as_text(standing_rows(found))}\n\n{found['challenger']} against the others")
    typer.echo(as_text(duel_rows(found)))
