"""Arguments that several verbs share."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

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
