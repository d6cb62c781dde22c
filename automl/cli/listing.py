"""Verbs that look: studies, status, trials, show, front."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from automl.cli._options import Format, FormatOption, Storage, StudyName
from automl.cli._output import emit

TRIAL_COLUMNS = (
    "number",
    "state",
    "stage",
    "ne",
    "auc",
    "flops",
    "params",
    "qps",
    "seconds",
    "parents",
    "origin",
    "failure",
)
FRONT_COLUMNS = ("number", "ne", "ne_stderr", "auc", "flops", "params", "qps", "latency_ms_p99", "seconds", "parents")


class Stage(StrEnum):
    """Which trials to list."""

    SEARCH = "search"
    BASELINE = "baseline"
    ALL = "all"


def register(app: typer.Typer) -> None:
    """Adds the verbs to the application."""
    for verb in (studies, status, trials, show, front):
        app.command()(verb)


def studies(*, storage: Storage = None, layout: FormatOption = Format.TABLE) -> None:
    """List the studies of a store."""
    from automl.summary import study_rows

    emit(study_rows(storage), layout)


def status(study: StudyName, *, storage: Storage = None, layout: FormatOption = Format.TABLE) -> None:
    """Say where a study stands: trials by state, best so far, budget left."""
    from automl.opening import load_study
    from automl.summary import status_of

    facts = status_of(load_study(study, storage=storage))
    rows = [facts] if layout is not Format.TABLE else [{"": key, "value": value} for key, value in facts.items()]
    emit(rows, layout)


def trials(
    study: StudyName,
    *,
    storage: Storage = None,
    layout: FormatOption = Format.TABLE,
    stage: Annotated[Stage, typer.Option(help="Which stage to list.")] = Stage.SEARCH,
) -> None:
    """List the trials of a study by number."""
    from automl._rows import trial_rows
    from automl.opening import load_study

    chosen = [one for one in load_study(study, storage=storage).trials if stage.value in ("all", one.stage)]
    emit(trial_rows(chosen), layout, columns=TRIAL_COLUMNS)


def show(
    study: StudyName,
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the trial.")],
    *,
    storage: Storage = None,
) -> None:
    """Print one trial in full, as JSON."""
    from automl.opening import load_study
    from automl.summary import trial_of

    typer.echo(json.dumps(trial_of(load_study(study, storage=storage), number), indent=2))


def front(study: StudyName, *, storage: Storage = None, layout: FormatOption = Format.TABLE) -> None:
    """List the trials that no other trial beats in every objective."""
    from automl._rows import trial_rows
    from automl.opening import load_study

    rows: list[dict[str, Any]] = trial_rows(load_study(study, storage=storage).best_trials)
    emit(rows, layout, columns=FRONT_COLUMNS)
