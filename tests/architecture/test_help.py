"""The help that people read says all that was written: rich takes square brackets for markup, and drops them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import pytest
import typer
from rich.markup import render
from typer.core import TyperCommand

from automl.cli._app import app

BRACKETED = "All of them [default: all]."


def _built(application: typer.Typer) -> TyperCommand:
    return cast(TyperCommand, typer.main.get_command(application))  # typer brings its own copy of click, or not


def _commands(command: TyperCommand, name: str = "automl") -> Iterator[tuple[str, TyperCommand]]:
    yield name, command
    for verb, below in getattr(command, "commands", {}).items():
        yield from _commands(below, f"{name} {verb}")


COMMANDS = dict(_commands(_built(app)))


def swallowed(command: TyperCommand) -> list[str]:
    """Texts of a command that are shown without some of their characters."""
    helps = [command.help, command.epilog, *(getattr(parameter, "help", None) for parameter in command.params)]
    return [text for text in helps if text and render(text).plain != text]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_help_has_brackets_that_rich_swallows(name: str) -> None:
    assert swallowed(COMMANDS[name]) == []


def test_a_default_in_square_brackets_is_noticed() -> None:
    def verb(*, rows: int = typer.Option(1, help=BRACKETED)) -> None:
        """Counts."""

    one = typer.Typer()
    one.command()(verb)
    assert swallowed(_built(one)) == [BRACKETED]


def test_what_is_said_of_a_default_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    COMMANDS["automl search"].main(["--help"], standalone_mode=False)
    assert "sqlite:///automl.db" in capsys.readouterr().out
