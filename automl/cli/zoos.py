"""Verbs about human-made architectures: zoo list, zoo show, zoo train."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from automl.cli._options import Format, FormatOption
from automl.cli._output import emit, say

Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of a human-made architecture.")]
COLUMNS = ("replicate", "ne", "ne_stderr", "auc", "logloss", "calibration", "params", "flops", "seconds", "failure")


def register(app: typer.Typer) -> None:
    """Adds the group of verbs to the application."""
    group = typer.Typer(no_args_is_help=True, help="Human-made architectures: what there is, and how well it does.")
    group.callback()(_zoo)
    group.command("list")(list_zoo)
    group.command("show")(show_zoo)
    group.command("train")(train_zoo)
    app.add_typer(group, name="zoo")


def _zoo() -> None:
    """Human-made architectures: what there is, and how well it does."""


def list_zoo(
    *,
    data: Annotated[
        str | None, typer.Option("--data", metavar="DATA", help="Data whose fields decide what each one costs.")
    ] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """List the human-made architectures with their papers; with data, their parameters and FLOPs on its fields."""
    from automl.human_made import schema_of, zoo_rows

    emit(zoo_rows(None if data is None else schema_of(data)), layout)


def show_zoo(name: Name) -> None:
    """Print one as JSON, in the format of a search result: it can be a study's `baseline:`."""
    from searchspaces import zoo, zoo_paper

    candidate = zoo(name)
    paper = zoo_paper(name)
    typer.echo(json.dumps({**candidate.to_dict(), **({"paper": paper} if paper else {})}, indent=2))


def train_zoo(
    name: Name,
    *,
    data: Annotated[str, typer.Option("--data", metavar="DATA", help="Prepared folder, source folder or table YAML.")],
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Trainings, each with another seed.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="The seeds are derived from it.")] = 0,
    rows: Annotated[int | None, typer.Option(min=1, metavar="N", help="Latest training rows to take.")] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    threads: Annotated[int | None, typer.Option(min=1, show_default="measured", help="Threads of an operator.")] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Train one from scratch as a search would, on the training part, and measure it on the validation part."""
    from automl.human_made import FromScratch, spread_words, train_human_made

    found = train_human_made(name, data, FromScratch(seeds, seed, rows, device, threads))
    emit(found, layout, columns=COLUMNS)
    say(spread_words(name, found))
