"""The help that people read says all that was written: rich takes square brackets for markup, and drops them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import typer
from rich.markup import render

from automl.cli._app import app

BRACKETED = "All of them [default: all]."


def _commands(command: typer.core.TyperCommand, name: str = "automl") -> Iterator[tuple[str, typer.core.TyperCommand]]:
    yield name, command
    for verb, below in getattr(command, "commands", {}).items():
        yield from _commands(below, f"{name} {verb}")


COMMANDS = dict(_commands(typer.main.get_command(app)))


def swallowed(command: typer.core.TyperCommand) -> list[str]:
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
    assert swallowed(typer.main.get_command(one)) == [BRACKETED]


def test_what_is_said_of_a_default_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    COMMANDS["automl search"].main(["--help"], standalone_mode=False)
    assert "sqlite:///automl.db" in capsys.readouterr().out
