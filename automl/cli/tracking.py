"""Verbs about the tracker: track sync."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from automl.cli._options import Format, FormatOption, Storage, StudyName
from automl.cli._output import emit, say


def register(app: typer.Typer) -> None:
    """Adds the group of verbs to the application."""
    group = typer.Typer(no_args_is_help=True, help="Keep the mirror of studies in a tracker in order.")
    group.callback()(_tracking)
    group.command("sync")(sync_study)
    app.add_typer(group, name="track")


def _tracking() -> None:
    """Keep the mirror of studies in a tracker in order."""


def sync_study(
    study: StudyName,
    *,
    uri: Annotated[
        str | None,
        typer.Option(metavar="URI", show_default="the study's own tracker", help="An MLflow, by URL or database."),
    ] = None,
    layout: FormatOption = Format.TABLE,
    storage: Storage = None,
) -> None:
    """Make a study's tracker show what the store holds, each trial once; a second time changes nothing."""
    from automl.opening import load_study
    from automl.syncing import sync, tracker_to_sync

    loaded = load_study(study, storage=storage)
    try:
        say(f"automl: completing {tracker_to_sync(loaded, uri).name}")
        synced = sync(loaded, uri=uri)
    finally:
        loaded.close()
    row = asdict(synced)
    entry = row.pop("entry")
    emit([row], layout)
    if synced.doubles:
        say(f"automl: deleted {_entries(synced.doubles, 'second ')}; MLflow keeps them among its deleted runs")
    if synced.strangers:
        verb = "belongs" if synced.strangers == 1 else "belong"
        say(f"automl: left {_entries(synced.strangers)} alone that {verb} to no ended trial of the store")
    say(f"automl: study {study!r} is shown in {entry}")


def _entries(count: int, kind: str = "") -> str:
    return f"{count} {kind}{'entry' if count == 1 else 'entries'}"
