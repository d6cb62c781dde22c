"""The verb that ends a search: finals."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from automl.cli._options import Format, FormatOption, Out, Storage, StudyName
from automl.cli._output import emit, say


def register(app: typer.Typer) -> None:
    """Adds the verb to the application."""
    app.command()(finals)


def finals(
    study: StudyName,
    *,
    top: Annotated[int, typer.Option(min=1, metavar="K", help="Finalists, best of the search first.")] = 3,
    seeds: Annotated[int, typer.Option(min=2, metavar="N", help="Trainings of each, under fresh seeds.")] = 5,
    baselines: Annotated[
        str | None, typer.Option(metavar="STUDY", help="Add the tuned baselines of a study of the same data.")
    ] = None,
    baselines_storage: Annotated[
        str | None, typer.Option(metavar="URL", help="Store of that study, where it is another one.")
    ] = None,
    days: Annotated[bool, typer.Option("--days", help="Errors over days of the test part too.")] = False,
    blend: Annotated[bool, typer.Option("--blend", help="Write the best average of finalists for predict.")] = False,
    margin: Annotated[float, typer.Option(min=0.0, metavar="PERCENT", help="Of NE: less makes no difference.")] = 0.1,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    reuse: Annotated[
        Path | None, typer.Option(metavar="FOLDER", help="Take over what other finals there have trained.")
    ] = None,
    out: Out = None,
    storage: Storage = None,
    layout: FormatOption = Format.TABLE,
) -> None:
    """Train the best candidates and the baselines anew over fresh seeds, and judge them: winner, tie or not proven.

    Baselines are those of the study as they are, the winners of `automl baselines` on it, LightGBM among them, and
    those of the study that --baselines names. A study that has baselines alone has them compared with each other.

    Everything is kept in the folder STUDY-finals (--out names another one): run again to go on after a kill, or with
    more seeds. Finals of several searches beside the same baselines train these once with --reuse. All choices are
    made on the validation part; the test part is opened once, on record, when they are.
    """
    from automl.finals import BLEND_FILE, Plan, lines, table_rows
    from automl.finals import finals as run
    from automl.opening import load_study

    folder = out or Path(f"{study}-finals")
    plan = Plan(folder, top, seeds, is_daily=days, is_blended=blend, margin_percent=margin, device=device, reuse=reuse)
    tuned_in = None if baselines is None else load_study(baselines, storage=baselines_storage or storage)
    found = run(load_study(study, storage=storage), plan, tuned_in=tuned_in)
    if layout is Format.JSON:
        typer.echo(json.dumps(found, indent=2))
        return
    emit(table_rows(found), layout)
    if layout is Format.TABLE:
        for line in lines(found):
            typer.echo(line)
        say(f"The test part of {found['data']['name']} has been opened {found['data']['test_openings']} times.")
        if blend:
            say(f"Score with the blend: automl predict {folder / BLEND_FILE} --data FOLDER")
