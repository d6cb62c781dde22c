"""The verb that sets methods and searchers side by side: compare."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli._options import Format, FormatOption, Out, Storage

if TYPE_CHECKING:
    from automl.study import Study


def register(app: typer.Typer) -> None:
    """Adds the verb to the application."""
    app.command()(compare)


def compare(
    config: Annotated[Path, typer.Argument(metavar="CONFIG", help="YAML file of a study: what all have in common.")],
    *,
    methods: Annotated[
        str, typer.Option(metavar="a,b:option=value", help="Methods and searchers to compare, by name.")
    ],
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Rows that each study may train on.")],
    seeds: Annotated[int, typer.Option(min=1, metavar="K", help="Studies of each, under seeds of their own.")] = 5,
    top: Annotated[int, typer.Option(min=1, metavar="K", help="Finalists of each study.")] = 1,
    final_seeds: Annotated[int, typer.Option(min=2, metavar="N", help="Trainings of each finalist.")] = 3,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
    ] = None,
    random: Annotated[
        int, typer.Option(min=0, metavar="N", help="Random candidates that methods are judged by as well, at least.")
    ] = 16,
    twice: Annotated[
        int, typer.Option(min=0, metavar="N", help="Candidates trained under a second seed, for the ceiling of tau.")
    ] = 8,
    device: Annotated[str, typer.Option(help="Of the finals: auto, cpu or cuda.")] = "auto",
    out: Out = None,
    storage: Storage = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Search one space by several methods with equal rows trained, and judge their winners by the same finals.

    Each method or searcher is a study of its own under each seed, with the space, data, evaluator and baselines of
    CONFIG, which may also say the options of one of them. Rows that a method trains and scores its supernet on count
    like those of trials; what --random and --twice train beside them is told, and charged to none. Everything is kept
    in the store and in the folder NAME-compare (--out names another one): run again to go on. There are compare.json
    and compare.html at the end.
    """
    from automl.bench.race.words import as_text
    from automl.cli._output import say
    from automl.cli.searching import pairs
    from automl.comparing import Diagnosis, Plan, entries_of, lines, standing_table
    from automl.comparing import compare as run
    from automl.config import load_config

    overrides = pairs(settings or []) | ({} if storage is None else {"storage": storage})
    loaded = load_config(config, overrides)
    folder = out or Path(f"{loaded.study.name}-compare")
    plan = Plan(loaded, entries_of(methods), rows, seeds, folder, top, final_seeds, device, Diagnosis(random, twice))
    again = f"automl compare {shlex.quote(str(config))} ..."
    conduct = _Conduct(again)
    found = run(plan, conduct=conduct)
    if found is None:
        say(f"automl: ended early; go on with `{again}`")
        raise typer.Exit(conduct.code)
    if layout is not Format.TABLE:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(as_text(standing_table(found)))
    for line in lines(found):
        typer.echo(line)
    say(f"automl: see {folder / 'compare.html'}")


class _Conduct:
    """Runs a study for a person, as `automl search` does; `code` is that of an interruption."""

    def __init__(self, again: str) -> None:
        self.code = 0
        self._again = again

    def __call__(self, study: Study) -> None:
        from automl.cli._output import say
        from automl.cli._running import Interruption, Progress

        say(f"automl: study {study.name!r}")
        progress = Progress(study)
        interruption = Interruption(study, at_once=study.abandon, again=self._again)
        try:
            study.optimize(callbacks=[progress.show], on_advance=progress.advance)
        finally:
            progress.end()
            interruption.end()
        self.code = interruption.code
