"""Arguments that verbs share which read a file of finished trials."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from evaluators import Goal

Maximize = Annotated[
    bool | None,
    typer.Option("--maximize/--minimize", help="Which values are better; unsaid, as is known of the metric, or less."),
]
Where = Annotated[
    list[str] | None, typer.Option("--where", metavar="COLUMN=VALUE", help="Only such rows of a file; repeat it.")
]
Exclude = Annotated[
    list[str] | None, typer.Option("--exclude", metavar="COLUMN", help="No choice, leave it out; repeat it.")
]
Choices = Annotated[
    list[str] | None,
    typer.Option("--choices", metavar="COLUMN", help="Keep too, whatever speaks against it; repeat it."),
]


def goal_of(maximize: bool | None) -> Goal | None:
    """The goal that is asked for, if any."""
    from evaluators import Goal

    return None if maximize is None else Goal.MAXIMIZE if maximize else Goal.MINIMIZE


def filters(where: Sequence[str] | None) -> dict[str, str]:
    """Columns and what they must say."""
    return dict(map(_filter, where or ()))


def check_unused(given: Mapping[str, object]) -> None:
    """Refuses options that only a file of trials can answer."""
    names = [name for name, value in given.items() if value not in (None, [])]
    if names:
        raise typer.BadParameter(f"{', '.join(names)} must go with --trials FILE; a --table says itself what is what")


def _filter(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise typer.BadParameter(f"a filter is COLUMN=VALUE, not {text!r}")
    return name, value
