"""The command line: a thin layer over the Python API.

Data goes to stdout, everything else to stderr. Exit codes: 0 done, 1 failed, 2 wrong usage or input,
130 interrupted, 143 terminated.
"""

from __future__ import annotations

import os
import sys

from automl._guard import check_installation

_QUICK = {"--help", "-h", "--version", "--install-completion", "--show-completion"}


def main() -> None:
    """Entry point of the `automl` command."""
    # read when torch is loaded: with libgomp's default, threads that wait spin away the cores of their neighbours
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    check_installation(thoroughly=not _QUICK & set(sys.argv[1:]))
    from automl.cli._app import run

    raise SystemExit(run(sys.argv[1:]))
