"""Assembles the verbs and turns errors into one paragraph and an exit code."""

from __future__ import annotations

import logging
import sys
from collections.abc import Sequence
from functools import cache
from importlib.metadata import version
from typing import Annotated, cast

import typer
from typer.core import TyperGroup

from automl.cli import (
    asking,
    auditing,
    baselining,
    benching,
    comparing,
    doctoring,
    finalising,
    listing,
    projects,
    searching,
    tracking,
    winners,
    zoos,
)
from automl.cli._output import readable_error, say

# typer brings its own copy of click or uses the installed one, by version: take the base class from typer itself
UsageError = cast(type[Exception], typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="automl",
    help="Design ranking models automatically: search architectures, compare them, export the winner.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
VERBS = (
    searching, auditing, baselining, comparing, asking, listing, winners, finalising, zoos, tracking, projects,
    doctoring, benching,
)  # fmt: skip
for module in VERBS:
    module.register(app)


@app.callback(invoke_without_command=True)
def _global(
    *,
    show_version: Annotated[bool, typer.Option("--version", help="Print the version and end.")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on stderr.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only errors on stderr.")] = False,
) -> None:
    level = logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    logger = logging.getLogger("automl")
    logger.setLevel(level)
    if show_version:
        typer.echo(f"automl {version('ctr-automl')}")
        raise typer.Exit


def run(arguments: Sequence[str]) -> int:
    """Runs one command; returns its exit code. Expected errors are told in a paragraph, bugs with a traceback."""
    try:
        code = _command().main(list(arguments), prog_name="automl", standalone_mode=False)
    except UsageError as error:
        cast(typer.BadParameter, error).show()
        return 2
    except (typer.Abort, KeyboardInterrupt):
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except OSError as error:
        if error.filename is None:
            raise
        say(f"automl: {readable_error(_about_file(error))}")
        return 2
    except ValueError as error:
        if not _is_ours(error):
            raise
        say(f"automl: {readable_error(str(error))}")
        return 2
    return int(code or 0)


@cache
def _command() -> TyperGroup:
    """The verbs, assembled once: that takes longer than most of them."""
    return cast(TyperGroup, typer.main.get_command(app))


def _about_file(error: OSError) -> str:
    """Files are the user's: one that cannot be had is told like any other input, wherever it was met."""
    return f"{error.filename} cannot be read or written ({error.strerror}); check the path and its permissions"


def _is_ours(error: ValueError) -> bool:
    """Own error families only: a stray ValueError is a bug and keeps its traceback."""
    ours = ("automl", "searchspaces", "evaluators", "predictors", "storage")
    return any(base.__module__.split(".")[0] in ours for base in type(error).__mro__)
