"""The command answers at once because it loads nothing heavy before it must."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = {"torch", "mlflow", "lightgbm", "sqlalchemy", "alembic", "optuna", "botorch", "polars", "plotly", "networkx"}


def _loaded(code: str) -> set[str]:
    script = f"{code}\nimport sys, json; sys.stderr.write(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(done.stderr))


@pytest.mark.parametrize("package", ["automl", "searchspaces", "evaluators", "predictors", "storage"])
def test_a_package_loads_nothing_heavy(package: str) -> None:
    assert not HEAVY & _loaded(f"import {package}")


def test_help_loads_nothing_heavy() -> None:
    code = "from automl.cli._app import run\nassert run(['--help']) == 0"
    assert not (HEAVY | {"pydantic", "numpy"}) & _loaded(code)
