"""The verb that audits: which rungs of the ladder may stand in for full training."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli._options import Format, FormatOption, Storage

if TYPE_CHECKING:
    from evaluators import Trial

COLUMNS = (
    "rung",
    "settings",
    "rows",
    "seconds",
    "candidates",
    "stderr",
    "reliability",
    "tau",
    "tau_low",
    "tau_high",
    "ceiling",
    "verdict",
)


def register(app: typer.Typer) -> None:
    """Adds the verb to the application."""
    app.command()(audit)


def audit(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file with a 'fidelity' section.")],
    *,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
    ] = None,
    storage: Storage = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Train candidates in full and at each rung, and say which rungs order them alike; goes on where it was ended."""
    from automl.auditing import audit as measure
    from automl.auditing import audit_rows, audit_words, plan_of
    from automl.cli._output import emit, say
    from automl.cli._running import Interruption
    from automl.cli.searching import pairs
    from automl.config import load_config
    from automl.opening import open_audit

    overrides = pairs(settings or []) | ({} if storage is None else {"storage": storage})
    study = open_audit(load_config(config, overrides))
    interruption = Interruption(study, at_once=study.abandon, again=f"automl audit {shlex.quote(str(config))}")
    try:
        plan = plan_of(study)
        found = measure(study, on_end=_show)
        rows = audit_rows(found, plan)
        emit(rows if layout is Format.JSON else [_flat(row) for row in rows], layout, columns=COLUMNS)
        for line in audit_words(found):
            say(f"automl: {line}")
    finally:
        interruption.end()
        study.close()
    raise typer.Exit(interruption.code)


def _show(trial: Trial) -> None:
    from automl.cli._output import say

    suggestion = trial.suggestion
    outcome = f"FAIL {trial.failure.kind.value}: {trial.failure.reason}" if trial.failure else trial.state.value
    seconds = f" {trial.evaluation.seconds:.1f} s" if trial.evaluation else ""
    place = f"rung {suggestion.fidelity.rung}, replicate {suggestion.replicate}"
    say(f"trial {trial.number} at {place} {outcome}{seconds}")


def _flat(row: dict[str, object]) -> dict[str, object]:
    settings = row["settings"]
    pairs = settings.items() if isinstance(settings, dict) else ()
    return {**row, "settings": " ".join(f"{name}={value}" for name, value in pairs) or "-"}
