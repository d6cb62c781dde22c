"""Verbs that search: search, resume, work."""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli._options import Storage, StudyName

if TYPE_CHECKING:
    from automl.study import Study

Workers = Annotated[
    int, typer.Option("--workers", min=1, metavar="N", help="Processes that evaluate side by side on this machine.")
]
MOST_DIGITS = 15
"""Of a number of trials: no search comes near it, and every store can keep it."""

Ray = Annotated[
    str | None,
    typer.Option(
        "--ray", metavar="ADDRESS", help="Let the workers run on the nodes of this Ray cluster; 'auto' finds one."
    ),
]


def register(app: typer.Typer) -> None:
    """Adds the verbs to the application."""
    app.command()(search)
    app.command()(resume)
    app.command()(work)


def search(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file; `automl init` writes one.")],
    *,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
    ] = None,
    trials: Annotated[int | None, typer.Option(metavar="N", help="Budget: end after N trials.")] = None,
    name: Annotated[str | None, typer.Option(metavar="S", help="Name of the study.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the study.")] = None,
    workers: Workers = 1,
    ray: Ray = None,
    storage: Storage = None,
) -> None:
    """Begin a study and run it until its budget is spent."""
    from automl.cli._running import run_study
    from automl.config import load_config
    from automl.local_workers import check_can_be_shared
    from automl.opening import open_new

    flags = {"budget.trials": trials, "study.name": name, "study.seed": seed, "storage": storage}
    overrides = {**pairs(settings or []), **{key: value for key, value in flags.items() if value is not None}}
    loaded = load_config(config, overrides)
    check_can_be_shared(loaded.storage, workers + (ray is not None))
    raise typer.Exit(run_study(open_new(loaded, is_checked=True), workers=workers, storage=loaded.storage, ray=ray))


def resume(
    study: StudyName,
    *,
    trials: Annotated[
        str | None, typer.Option(metavar="[+]N", help="Set the budget to N trials, or enlarge it by +N.")
    ] = None,
    workers: Workers = 1,
    ray: Ray = None,
    storage: Storage = None,
) -> None:
    """Go on with a study where it stopped, however it stopped."""
    from automl.cli._output import say
    from automl.cli._running import run_study
    from automl.config import resolve_url
    from automl.opening import default_storage, load_study
    from automl.workers import was_shared

    loaded = load_study(study, storage=storage)
    if trials is not None:
        _ = loaded.wiring  # a study that cannot go on keeps its budget
        with loaded.driving():  # where another process drives it, a refused command has changed nothing
            loaded.set_trials(_enlarged(_current(loaded), trials))
    if workers > 1 or was_shared(loaded.trials):
        say("automl: several workers take part, so what is proposed depends on the order in which trials end")
    url = resolve_url(storage or default_storage(), Path.cwd())
    raise typer.Exit(run_study(loaded, workers=workers, storage=url, ray=ray))


def work(study: StudyName, *, storage: Storage = None) -> None:
    """Take part in a study that a search drives, as one more worker, from any machine that sees its store and data."""
    from automl.cli._running import run_worker
    from automl.local_workers import join_study

    raise typer.Exit(run_worker(join_study(study, storage=storage)))


def _current(study: Study) -> int:
    """The budget that `+N` enlarges: what is written, or what is done where trials have no limit."""
    from automl.budget import spent

    limit = study.config.budget.trials
    return spent(study.trials).trials if limit is None else limit


def pairs(settings: list[str]) -> dict[str, object]:
    """`--set` arguments as keys and values.

    Raises:
        typer.BadParameter: one has no equals sign.
    """
    from automl._yaml import parse_scalar

    wrong = [text for text in settings if "=" not in text.strip("=")]
    if wrong:
        raise typer.BadParameter(f"an override looks like key=value, but got {wrong[0]!r}", param_hint="--set")
    split = (text.partition("=") for text in settings)
    return {key.strip(): parse_scalar(value, key=key.strip()) for key, _, value in split}


def _enlarged(current: int, text: str) -> int:
    digits = text.removeprefix("+")
    if not (digits.isascii() and digits.isdigit()) or len(digits) > MOST_DIGITS or int(digits) < 1:
        shown = reprlib.repr(text)
        raise typer.BadParameter(
            f"must be a positive number of at most {MOST_DIGITS} digits, or + and one, but is {shown}",
            param_hint="--trials",
        )
    return current + int(digits) if text.startswith("+") else int(digits)
