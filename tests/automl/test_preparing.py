"""`automl data prepare` and `automl bench preparation`, as they are typed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.automl.cli_runs import run_cli
from tests.evaluators.datasets.test_published import criteo_file


def test_a_published_file_is_prepared_with_the_rule_that_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    copy, out = criteo_file(tmp_path), tmp_path / "data"
    run = run_cli(capsys, "data", "prepare", "criteo", "--from", str(copy), "--out", str(out), "--split", "stratified")
    assert (run.code, run.out.strip()) == (0, str(out))
    assert json.loads((out / "schema.json").read_text())["split"]["rule"] == "stratified random folds"


def test_a_rule_is_for_published_files_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_cli(capsys, "data", "prepare", "movielens-100k", "--split", "hash")
    assert run.code == 2
    assert "recipe 'movielens-100k' has no option 'split'" in run.err


def test_sizes_to_measure_are_whole_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    run = run_cli(capsys, "bench", "preparation", "--rows", "1000,many")
    assert run.code == 2
    assert "sizes are whole numbers of at least 1000, separated by commas, not '1000,many'" in " ".join(run.err.split())
