"""Verbs that look: studies, status, trials, show, front, ledger, lineage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli._options import Format, FormatOption, Storage, StudyName
from automl.cli._output import emit, say

if TYPE_CHECKING:
    from automl.study import Study
    from evaluators import Trial

TRIAL_COLUMNS = (
    "number",
    "state",
    "stage",
    "ne",
    "gain_percent",
    "auc",
    "flops",
    "params",
    "qps",
    "seconds",
    "parents",
    "origin",
    "failure",
)
FRONT_COLUMNS = (
    "number",
    "ne",
    "ne_stderr",
    "gain_percent",
    "auc",
    "flops",
    "params",
    "qps",
    "latency_ms_p99",
    "seconds",
    "parents",
)
LEDGER_COLUMNS = (
    "stage",
    "complete",
    "pruned",
    "failed",
    "unfinished",
    "losses",
    "seconds",
    "rows",
    "energy_joules",
    "failed_share",
    "peak_memory_bytes",
    "seconds_per_step",
)


class Stage(StrEnum):
    """Which trials to list."""

    SEARCH = "search"
    BASELINE = "baseline"
    AUDIT = "audit"
    TUNING = "tuning"
    TUNED = "tuned"
    METHOD = "method"
    ALL = "all"


def register(app: typer.Typer) -> None:
    """Adds the verbs to the application."""
    for verb in (studies, status, trials, show, front, ledger, lineage):
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
    from automl.opening import load_study

    loaded = load_study(study, storage=storage)
    known = loaded.trials
    _emit_trials(loaded, known, [one for one in known if stage.value in ("all", one.stage)], layout, TRIAL_COLUMNS)


def show(
    study: StudyName,
    number: Annotated[int, typer.Argument(metavar="N", help="Number of the trial.")],
    *,
    graph: Annotated[bool, typer.Option("--graph", help="Draw its architecture instead, as SVG.")] = False,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="Where to write the drawing.")] = None,
    storage: Storage = None,
) -> None:
    """Print one trial in full, as JSON, or draw its architecture."""
    from automl.opening import load_study
    from automl.summary import trial_of

    if graph:
        _draw(load_study(study, storage=storage), number, out)
    elif out is not None:
        raise typer.BadParameter("only a drawing is written to a file; add --graph", param_hint="--out")
    else:
        typer.echo(json.dumps(trial_of(load_study(study, storage=storage), number), indent=2))


def front(study: StudyName, *, storage: Storage = None, layout: FormatOption = Format.TABLE) -> None:
    """List the trials that no other trial beats in every objective."""
    from automl.opening import load_study

    loaded = load_study(study, storage=storage)
    _emit_trials(loaded, loaded.trials, loaded.best_trials, layout, FRONT_COLUMNS)


def ledger(study: StudyName, *, storage: Storage = None, layout: FormatOption = Format.TABLE) -> None:
    """Say what each stage has cost, and what the search has paid for its gain over the control."""
    from automl.ledger import ledger_of, ledger_rows, ledger_words
    from automl.opening import load_study

    loaded = load_study(study, storage=storage)
    found = ledger_of(loaded.trials, loaded.objectives)
    emit(ledger_rows(found), layout, columns=LEDGER_COLUMNS)
    if layout is Format.TABLE:
        for line in ledger_words(found):
            typer.echo(line)


def lineage(
    study: StudyName,
    *,
    trial: Annotated[
        int | None, typer.Option(metavar="N", show_default="the best trial's", help="Whose family tree to print.")
    ] = None,
    edits: Annotated[bool, typer.Option("--edits", help="Only which kinds of edits have paid.")] = False,
    storage: Storage = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Say where a trial comes from, and in a table also which edits have made children better than their parents."""
    from automl.lineage import edit_rows, lineage_of, lineage_words, tree_rows
    from automl.opening import load_study

    loaded = load_study(study, storage=storage)
    found = lineage_of(loaded.trials, loaded.objectives, number=trial)
    if not edits:
        emit(tree_rows(found), layout)
    if edits or layout is Format.TABLE:
        emit(edit_rows(found), layout)
    if layout is Format.TABLE:
        for line in lineage_words(found):
            typer.echo(line)


def _draw(study: Study, number: int, out: Path | None) -> None:
    from automl._files import write_text
    from automl.publishing import drawing

    drawn = drawing(study, number)
    if out is None:
        typer.echo(drawn)
    else:
        write_text(out, f"{drawn}\n")
        typer.echo(str(out))


def _emit_trials(
    study: Study, known: Sequence[Trial], shown: Sequence[Trial], layout: Format, columns: Sequence[str]
) -> None:
    """The rows with their gains; under a table, on stderr, which control these refer to."""
    from automl._rows import trial_rows
    from automl.control import control_of
    from automl.summary import gains_of

    control = control_of(known, study.objectives)
    asked = [one.metric for one in study.objectives if one.metric not in columns]
    rungs = () if all(one.suggestion.fidelity.is_full for one in shown) else ("rung",)
    rows = trial_rows(shown, control=control, objective=study.objectives[0])
    emit(rows, layout, columns=[*columns[:1], *rungs, *asked, *columns[1:]])
    if layout is Format.TABLE:
        say(f"automl: {gains_of(study, known)}")
