"""Runs the command line in this process."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from automl.cli._app import run


@dataclass(frozen=True)
class Run:
    """What a command gave."""

    code: int
    out: str
    err: str


def run_cli(capsys: pytest.CaptureFixture[str], *arguments: str) -> Run:
    """The exit code, stdout and stderr of `automl ARGUMENTS`."""
    capsys.readouterr()
    code = run(arguments)
    captured = capsys.readouterr()
    return Run(code, captured.out, captured.err)
