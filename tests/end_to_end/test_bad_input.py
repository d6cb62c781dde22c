"""Bad input gets one paragraph that names the rule, the value and the way out; exit code 2; nothing half-written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from automl._yaml import to_yaml
from tests.automl.cli_runs import Run, run_cli

TABLE = "table: clicks.csv\nlabel: click\ndense: [price]\ncategorical: [user]\ntime: time\nminimum_count: 1\n"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working directory with a small table, its description and a configuration."""
    monkeypatch.chdir(tmp_path)
    _write_clicks(tmp_path)
    (tmp_path / "table.yaml").write_text(TABLE, encoding="utf-8")
    _write_study(tmp_path)
    return tmp_path


def _write_clicks(folder: Path, **columns: list[object]) -> None:
    rng = np.random.default_rng(0)
    rows = 200
    content = {
        "click": rng.integers(0, 2, rows),
        "price": rng.normal(size=rows),
        "user": rng.integers(0, 9, rows),
        "time": np.arange(rows),
    }
    pl.DataFrame({**content, **columns}).write_csv(folder / "clicks.csv")


def _write_study(folder: Path, **sections: object) -> None:
    content = {
        "schema_version": 1,
        "study": {"name": "s"},
        "data": "table.yaml",
        "evaluator": {"name": "planted"},
        "budget": {"trials": 2},
        **sections,
    }
    (folder / "study.yaml").write_text(to_yaml(content), encoding="utf-8")


def _missing_data(place: Path) -> None:
    (place / "clicks.csv").unlink()


def _wrong_column(place: Path) -> None:
    (place / "table.yaml").write_text(TABLE.replace("[price]", "[prize]"), encoding="utf-8")


def _non_numeric(place: Path) -> None:
    _write_clicks(place, price=["cheap"] * 200)


def _empty_split(place: Path) -> None:
    (place / "table.yaml").write_text(TABLE + "split: {valid: 0.0, test: 0.1}\n", encoding="utf-8")


def _one_class(place: Path) -> None:
    _write_clicks(place, click=[0] * 200)


def _unknown_operator(place: Path) -> None:
    _write_study(place, space={"name": "autoctr", "operators": ["mlp", "fmm"]})


def _no_valid_architecture(place: Path) -> None:
    (place / "table.yaml").write_text(TABLE.replace("[price]", "[]"), encoding="utf-8")
    _write_study(place, space={"name": "autoctr", "operators": ["dot_product"]})


def _other_version(place: Path) -> None:
    _write_study(place, schema_version=7)


CASES: list[tuple[Callable[[Path], None], list[str]]] = [
    (_missing_data, ["clicks.csv"]),
    (_wrong_column, ["prize", "price"]),
    (_non_numeric, ["price", "cheap"]),
    (_empty_split, ["valid"]),
    (_one_class, ["click"]),
    (_unknown_operator, ["fmm", "fm"]),
    (_no_valid_architecture, ["dot_product"]),
    (_other_version, ["schema_version 1", "7"]),
]


def _assert_told(done: Run, words: list[str]) -> None:
    assert done.code == 2, done.err
    assert done.out == ""
    assert done.err.startswith("automl: ")
    assert "Traceback" not in done.err
    assert [word for word in words if word not in done.err] == [], done.err


@pytest.mark.parametrize(("spoil", "words"), CASES, ids=lambda one: getattr(one, "__name__", ""))
def test_a_search_refuses_and_leaves_nothing(
    spoil: Callable[[Path], None], words: list[str], place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil(place)
    before = sorted(place.iterdir())
    _assert_told(run_cli(capsys, "search", "study.yaml"), words)
    assert sorted(place.iterdir()) == before


def test_a_missing_configuration_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _assert_told(run_cli(capsys, "search", "nothing.yaml"), ["nothing.yaml", "automl init"])


def test_a_place_that_cannot_be_written_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "file").write_text("", encoding="utf-8")
    done = run_cli(capsys, "data", "prepare", "table.yaml", "--out", "file/data")
    _assert_told(done, ["file"])


def test_a_store_that_cannot_be_written_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "file").write_text("", encoding="utf-8")
    _assert_told(run_cli(capsys, "search", "study.yaml", "--storage", "sqlite:///file/automl.db"), ["automl.db"])


def test_a_file_that_is_no_store_is_named(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "automl.db").write_text("this is no database, but a longer text\n" * 50, encoding="utf-8")
    _assert_told(run_cli(capsys, "search", "study.yaml"), ["automl.db"])
    assert (place / "automl.db").read_text(encoding="utf-8").startswith("this is no database")


def test_a_winner_whose_count_does_not_match_is_refused(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_cli(capsys, "search", "study.yaml").code == 0
    assert run_cli(capsys, "export", "s", "--best", "--out", "winner.yaml").code == 0
    text = (place / "winner.yaml").read_text(encoding="utf-8")
    stated = next(line for line in text.splitlines() if line.strip().startswith("parameters:"))
    (place / "winner.yaml").write_text(text.replace(stated, "  parameters: 17"), encoding="utf-8")
    done = run_cli(capsys, "train", "winner.yaml", "--data", "table.yaml")
    _assert_told(done, ["winner.yaml", "17", "parameter count"])


def test_json_of_a_bad_study_stays_empty(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    done = run_cli(capsys, "trials", "nothing", "--format", "json", "--storage", "sqlite:///no.db")
    _assert_told(done, ["no.db"])
    assert json.dumps([]) not in done.out
