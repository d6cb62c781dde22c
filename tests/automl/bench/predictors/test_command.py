from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.automl.bench.predictors.files import jsonl, rows
from tests.automl.cli_runs import run_cli
from tests.evaluators.small_tables import entries, write_table

ASKED = ("--metric", "auc", "--train", "20", "--repeats", "2", "--predictors", "lambdarank")


def test_json_has_figures_choices_and_what_was_dropped(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, out = jsonl(tmp_path, rows()), tmp_path / "found.json"
    asked = ("bench", "predictors", "--trials", str(file), *ASKED, "--format", "json", "--out", str(out))
    done = run_cli(capsys, *asked)
    found = json.loads(done.out)
    assert done.code == 0
    assert [(row["predictor"], row["train"], row["repeats"]) for row in found["predictors"]] == [("lambdarank", 20, 2)]
    assert found["choices"] == ["model", "settings.rate", "settings.dim", "settings.dropout"]
    assert "test_auc" in found["dropped"]
    assert len(json.loads(out.read_text(encoding="utf-8"))["samples"]) == 2


def test_the_table_says_on_stderr_what_became_of_rows_and_columns(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = jsonl(tmp_path, rows())
    done = run_cli(capsys, "bench", "predictors", "--trials", str(file), *ASKED, "--exclude", "model")
    assert done.code == 0
    assert done.out.splitlines()[0].split()[:3] == ["predictor", "train", "tau"]
    assert "not model: was excluded" in done.err
    assert "not test_auc: is a number whose name speaks of a measurement" in done.err


def test_a_table_is_ordered_by_its_own_space_and_the_ceiling_stands_beside_tau(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = write_table(tmp_path / "planted", entries(40))
    asked = ("--train", "20", "--repeats", "2", "--predictors", "lambdarank")
    done = run_cli(capsys, "bench", "predictors", "--table", str(table), *asked)
    assert done.code == 0
    heads, row = (line.split() for line in done.out.splitlines())
    assert heads[:5] == ["predictor", "train", "tau", "tau_stderr", "ceiling"]
    assert 0 < float(row[4]) < 1
    assert "200 rows: 120 others; 40 different candidates, ne to minimize" in done.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "on --trials FILE with its --metric, or on a --table"),
        (("--trials", "t.csv"), "on --trials FILE with its --metric, or on a --table"),
        (
            ("--trials", "t.csv", "--metric", "ne", "--table", "t"),
            "on --trials FILE with its --metric, or on a --table",
        ),
        (("--table", "t", "--where", "a=b", "--choices", "c"), "--where, --choices must go with --trials FILE"),
        (("--table", "none"), "as 'automl bench table' leaves it when it is done, but none cannot be read"),
    ],
)
def test_what_is_ordered_is_a_file_or_a_table(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    done = run_cli(capsys, "bench", "predictors", *arguments)
    assert done.code != 0
    assert message in " ".join(done.err.replace("│", "").split())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--where", "model"), "a filter is COLUMN=VALUE, not 'model'"),
        (("--train", "ten"), "numbers of trials are separated by commas, not 'ten'"),
        (("--metric", "acu"), "no column 'acu'; did you mean 'auc'"),
    ],
)
def test_mistakes_are_told_without_a_traceback(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], message: str
) -> None:
    done = run_cli(capsys, "bench", "predictors", "--trials", str(jsonl(tmp_path, rows())), *ASKED, *arguments)
    assert done.code != 0
    assert message in " ".join(done.err.split())
    assert "Traceback" not in done.err
