"""Verbs for trainers that this program does not start: create, ask, tell."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from automl.cli._options import Format, Storage, StudyName
from automl.cli._output import compact, emit, say
from automl.cli.searching import pairs

NOTHING_LEFT = 3
"""Exit code of an ask that there is no trial for."""


class Kind(StrEnum):
    """Kinds of failure, as `evaluators.FailureKind` has them; that is not imported, so that help is fast."""

    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    INVALID = "invalid"


Number = Annotated[int, typer.Argument(metavar="N", help="Number of the trial, as `automl ask` printed it.")]


def register(app: typer.Typer) -> None:
    """Adds the verbs to the application."""
    for verb in (create, ask, tell):
        app.command()(verb)


def create(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file; `automl init` writes one.")],
    *,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
    ] = None,
    name: Annotated[str | None, typer.Option(metavar="S", help="Name of the study.")] = None,
    storage: Storage = None,
) -> None:
    """Begin a study without running it, for `automl ask` and `automl tell`; print its name."""
    from automl.config import load_config
    from automl.opening import open_new

    flags = {"study.name": name, "storage": storage}
    overrides = {**pairs(settings or []), **{key: value for key, value in flags.items() if value is not None}}
    study = open_new(load_config(config, overrides))
    typer.echo(study.name)
    study.close()


def ask(
    study: StudyName,
    *,
    storage: Storage = None,
    layout: Annotated[Format, typer.Option("--format", help="How to print the trial.")] = Format.JSON,
) -> None:
    """Print the next trial to evaluate, as one JSON document, and hold it for a week.

    A trial that a worker lost, or that was held for too long, is given first. Evaluate "candidate", then `automl tell`
    under "number". Exit code 3 says that the budget or the space has no trial left. After a crash in between,
    `automl trials STUDY --stage all` shows what is RUNNING: tell its metrics, or give it up with
    `automl tell STUDY N --failure crashed --reason TEXT`.
    """
    from automl._errors import NothingLeft
    from automl.asking import ask_document, asked_row
    from automl.opening import load_study

    loaded = load_study(study, storage=storage)
    try:
        document = ask_document(loaded)
    except NothingLeft as error:
        say(f"automl: {error}")
        raise typer.Exit(NOTHING_LEFT) from None
    finally:
        loaded.close()
    if layout is Format.JSON:
        typer.echo(json.dumps(document, indent=2))
    else:
        emit([asked_row(document)], layout)


def tell(
    study: StudyName,
    number: Number,
    *,
    metrics: Annotated[
        str | None, typer.Option(metavar="FILE", help="JSON file with the metrics; - reads standard input.")
    ] = None,
    failure: Annotated[Kind | None, typer.Option(help="Kind of failure, instead of metrics.")] = None,
    reason: Annotated[str | None, typer.Option(metavar="TEXT", help="Why it failed.")] = None,
    storage: Storage = None,
) -> None:
    """End a trial with its metrics, or as a failure.

    A trial ends once: telling it again, or metrics that break a rule, change nothing and give exit code 2.
    """
    from automl.asking import tell_failure, tell_metrics
    from automl.opening import load_study
    from evaluators import Failure, FailureKind
    from evaluators._external.text import one_line

    if (metrics is None) == (failure is None):
        raise typer.BadParameter("name one of --metrics and --failure")
    if (reason is None) != (failure is None):
        raise typer.BadParameter("a failure has a reason, and metrics have none", param_hint="--reason")
    text = b"" if metrics is None else _read(metrics)
    loaded = load_study(study, storage=storage)
    try:
        if failure is None:
            trial = tell_metrics(loaded, number, text)
        else:
            trial = tell_failure(
                loaded, number, Failure(FailureKind(failure.value), one_line(reason or "") or "no reason was given")
            )
        first = loaded.objectives[0].metric
    finally:
        loaded.close()
    told = trial.failure.reason if trial.failure else f"{first} {compact(trial.value(first))}"
    kind = f" {trial.failure.kind.value}" if trial.failure else ""
    say(f"automl: trial {trial.number} {trial.state.value}{kind}: {told}")


def _read(name: str) -> bytes:
    from evaluators._external.metrics_document import MAX_BYTES

    if name == "-":
        return sys.stdin.buffer.read(MAX_BYTES + 1)
    try:
        with Path(name).open("rb") as stream:
            return stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise typer.BadParameter(f"{name} cannot be read ({error.strerror})", param_hint="--metrics") from error
