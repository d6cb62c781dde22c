"""The verb that looks at everything a search stands on: doctor."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from automl.cli._options import Format, FormatOption
from automl.cli._output import emit, say

COLUMNS = ("area", "name", "state", "value", "origin")


def register(app: typer.Typer) -> None:
    """Adds the verb to the application."""
    app.command()(doctor)


def doctor(
    config: Annotated[
        Path | None, typer.Argument(metavar="[CONFIG]", help="YAML file of a study: tells each setting's origin.")
    ] = None,
    *,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a setting; may be repeated.")
    ] = None,
    storage: Annotated[
        str | None,
        typer.Option(
            "--storage", metavar="URL", show_default="AUTOML_STORAGE, the file's, the usual", help="Store to check."
        ),
    ] = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Check installation, settings and store; changes nothing. Exit code 1 where there is a problem."""
    from automl._finding import State
    from automl.cli.searching import pairs
    from automl.doctor import Question, examine

    flags = {**pairs(settings or []), **({"storage": storage} if storage else {})}
    found = examine(Question(config, flags), now=time.time())
    rows = [
        {
            "area": one.area,
            "name": one.name,
            "state": one.state.value,
            "value": one.value,
            "origin": one.origin,
            "way_out": one.way_out,
        }
        for one in found
    ]
    emit(rows, layout, columns=COLUMNS)
    for one in found:
        if one.state is not State.OK:
            say(f"automl: {one.state.value}: {one.area} {one.name}: {one.value}; {one.way_out}")
    if any(one.state is State.PROBLEM for one in found):
        raise typer.Exit(1)
