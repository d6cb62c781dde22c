"""Arguments that several verbs share, and how they are read."""

from __future__ import annotations

import json
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer


class Format(StrEnum):
    """How a list is printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


StudyName = Annotated[str, typer.Argument(metavar="STUDY", help="Name of a study in the store.")]
Storage = Annotated[
    str | None,
    typer.Option(
        "--storage",
        metavar="URL",
        envvar="AUTOML_STORAGE",
        show_envvar=True,
        show_default="sqlite:///automl.db",
        help="Store, as a SQLAlchemy URL.",
    ),
]
FormatOption = Annotated[Format, typer.Option("--format", help="How to print the list.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="PATH", help="Where to write.")]


def json_object(text: str, name: str) -> dict[str, Any]:
    """What the option `name` says as a JSON object.

    Raises:
        typer.BadParameter: it is none.
    """
    try:
        found = json.loads(text)
    except json.JSONDecodeError as error:
        raise typer.BadParameter(f"{name} is a JSON object, but {text!r} is none: {error}") from error
    if not isinstance(found, dict):
        raise typer.BadParameter(f"{name} is a JSON object, not {text!r}")
    return found


def numbers(text: str) -> tuple[int, ...]:
    """Whole numbers that are separated by commas.

    Raises:
        typer.BadParameter: they are none.
    """
    sizes = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() for part in sizes):
        raise typer.BadParameter(f"numbers of trials are separated by commas, not {text!r}")
    return tuple(int(part) for part in sizes)
