"""The verb that tunes what a search is compared with: baselines."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli._options import Format, FormatOption, Out, Storage

if TYPE_CHECKING:
    from evaluators import Trial


def register(app: typer.Typer) -> None:
    """Adds the verb to the application."""
    app.command()(baselines)


def baselines(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file of the search to compare with.")],
    *,
    budget: Annotated[
        int | None,
        typer.Option(min=1, metavar="N", show_default="the search's", help="Tuning trials of all models together."),
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="K", help="Fresh replicates of each tuned winner.")] = 5,
    trees: Annotated[bool, typer.Option("--trees/--no-trees", help="LightGBM on the same columns too.")] = True,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
    ] = None,
    out: Out = None,
    storage: Storage = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Tune the human-made models and LightGBM with a search's budget in all, and measure each winner over fresh seeds.

    Goes on where it was ended. The trials are kept in the study, under the stages 'tuning' and 'tuned'.
    """
    from automl._files import check_place
    from automl.baselining import Baselining, plan_of, tune_baselines
    from automl.cli._output import emit, say
    from automl.cli._running import Interruption
    from automl.cli.searching import pairs
    from automl.config import load_config
    from automl.opening import open_beside
    from automl.tuning import tuned_words

    if out is not None:
        check_place(out)
    overrides = pairs(settings or []) | ({} if storage is None else {"storage": storage})
    study = open_beside(load_config(config, overrides))
    again = f"automl baselines {shlex.quote(str(config))}"
    interruption = Interruption(study, at_once=study.abandon, again=again)
    try:
        asked = Baselining(budget, seeds, trees)
        plan = plan_of(study, asked)
        rows = tune_baselines(study, asked, on_end=lambda trial: _show(trial, plan.objective.metric))
        emit(rows, layout, columns=_columns(plan.objective.metric))
        for line in tuned_words(rows, plan, seeds=seeds):
            say(f"automl: {line}")
        if out is not None:
            _write(out, {"study": study.name, "data": study.wiring.dataset.name, "budget": plan.budget, "models": rows})
    finally:
        interruption.end()
        study.close()
    raise typer.Exit(interruption.code)


def _columns(metric: str) -> tuple[str, ...]:
    measured = (metric, f"{metric}_sd", f"{metric}_stderr", *(() if metric == "auc" else ("auc",)))
    return ("model", *measured, "flops", "params", "seconds", "seeds", "trials", "settings", "failed", "setting")


def _write(path: Path, content: dict[str, object]) -> None:
    from automl._files import write_text

    write_text(path, json.dumps(content, indent=2) + "\n")
    typer.echo(str(path), err=True)


def _show(trial: Trial, metric: str) -> None:
    from automl.cli._output import compact, say

    suggestion = trial.suggestion
    place = f"{trial.stage} {suggestion.origin.removeprefix('zoo:')}, replicate {suggestion.replicate}"
    if not suggestion.fidelity.is_full:
        place += f" at rung {suggestion.fidelity.rung}"
    if trial.failure:
        say(f"trial {trial.number} {place} FAIL {trial.failure.kind.value}: {trial.failure.reason}")
    elif trial.evaluation:
        seconds = f"{trial.evaluation.seconds:.1f} s"
        say(f"trial {trial.number} {place} {trial.state.value} {metric} {compact(trial.value(metric))} {seconds}")
