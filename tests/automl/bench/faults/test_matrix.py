"""The matrix does each row once, keeps it, and says what it could not do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from automl import AutomlError
from automl.bench.faults import matrix
from automl.bench.faults.finding import Finding
from automl.bench.faults.matrix import faults
from automl.bench.faults.plan import CannotInject, Plan
from tests.automl.cli_runs import run_cli


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[Plan], Finding]]:
    known: dict[str, Callable[[Plan], Finding]] = {"x": lambda plan: Finding("x", "none", trials=plan.kills)}
    monkeypatch.setattr(matrix, "ROWS", known)
    return known


def test_a_row_is_done_once(tmp_path: Path, rows: dict[str, Callable[[Plan], Finding]]) -> None:
    first = faults(Plan(tmp_path, kills=3))
    assert [(row["row"], row["trials"], row["verdict"]) for row in first["rows"]] == [("x", 3, "holds")]
    assert faults(Plan(tmp_path, kills=4))["rows"] == first["rows"]


def test_what_cannot_be_done_is_told(tmp_path: Path, rows: dict[str, Callable[[Plan], Finding]]) -> None:
    def full(plan: Plan) -> Finding:
        """Fills a disk."""
        raise CannotInject("no disk")

    rows["y"] = full
    (found,) = faults(Plan(tmp_path), ["y"])["rows"]
    assert (found["fault"], found["verdict"]) == ("Fills a disk.", "skipped: no disk")


def test_an_unknown_row_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        AutomlError, match=r"^a row of the matrix is one of a, b, c, d, e, f, g, h, i1, i2, j, but got 'z'$"
    ):
        faults(Plan(tmp_path), ["a", "z"])


def test_every_row_says_what_it_does() -> None:
    assert all(fault.__doc__ for fault in matrix.ROWS.values())


def test_a_row_that_goes_on_draws_what_it_would_have_drawn(tmp_path: Path) -> None:
    plan = Plan(tmp_path, seed=3)
    assert plan.rng(97, 5).random() == plan.rng(97, 5).random() != plan.rng(97, 6).random()


def test_the_command_prints_the_matrix_and_writes_it(
    tmp_path: Path, rows: dict[str, Callable[[Plan], Finding]], capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "faults.json"
    done = run_cli(
        capsys, "bench", "faults", "--folder", str(tmp_path), "--only", "x", "--kills", "3", "--out", str(out)
    )
    assert (done.code, done.out.splitlines()[0], json.loads(out.read_text())["rows"][0]["trials"]) == (0, str(out), 3)
    assert done.out.splitlines()[-1] == "| x | none | 3 | none | 0 | 0 | - | 0 | none | holds |"
