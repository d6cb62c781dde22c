"""Rows of a table say what was trained, and nothing is lost between writing and reading."""

from __future__ import annotations

from pathlib import Path

import pytest

from evaluators import Evaluation, EvaluatorError, Failure, FailureKind, Metric, Point
from evaluators._tabular.entries import SEARCH, TRIALS_FILE, Entry, read_entries, read_facts, to_row, write_entries
from tests.evaluators.small_data import mlp
from tests.evaluators.small_tables import entries, write_table

CURVE = (Point(10, {"train_logloss": 0.7}), Point(20, {"train_logloss": 0.6}))
TRAINED = Evaluation({"ne": Metric(0.9, 0.01), "flops": Metric(64.0)}, CURVE, seconds=1.5)
FAILED = Failure(FailureKind.DIVERGED, "the loss is not finite", 0.5)


def test_trainings_survive_parquet(tmp_path: Path) -> None:
    written = [Entry(0, mlp(8), 0, SEARCH, TRAINED), Entry(1, mlp(16), 1, SEARCH, FAILED)]
    write_entries(tmp_path / TRIALS_FILE, written)
    read = read_entries(tmp_path)
    assert read == written
    assert read[1].outcome.seconds == 0.5


def test_trainings_survive_json() -> None:
    for outcome in (TRAINED, FAILED):
        entry = Entry(3, mlp(8), 1, SEARCH, outcome)
        assert Entry.from_dict(entry.to_dict()) == entry


def test_a_row_has_a_column_for_each_metric_and_each_known_error() -> None:
    row = to_row(Entry(0, mlp(8), 0, SEARCH, TRAINED))
    assert (row["ne"], row["ne_stderr"], row["flops"]) == (0.9, 0.01, 64.0)
    assert "flops_stderr" not in row
    assert row["fingerprint"] == mlp(8).fingerprint


def test_rows_are_in_the_order_of_candidate_role_and_replicate(tmp_path: Path) -> None:
    found = entries(3, replicates=2, truth=1)
    write_table(tmp_path, found[::-1])
    assert [(one.number, one.replicate) for one in read_entries(tmp_path)] == [
        (a, k) for a in range(3) for k in range(3)
    ]


def test_a_folder_without_a_table_is_told(tmp_path: Path) -> None:
    with pytest.raises(EvaluatorError, match=r"a table is a folder with trials.parquet, as 'automl bench table'"):
        read_entries(tmp_path)
    with pytest.raises(EvaluatorError, match=r"a table has its facts in table.json, but .* cannot be read"):
        read_facts(tmp_path)


def test_facts_that_are_no_object_are_told(tmp_path: Path) -> None:
    (tmp_path / "table.json").write_text("[1]", encoding="utf-8")
    with pytest.raises(EvaluatorError, match=r"the facts of a table are a JSON object, but .* holds list"):
        read_facts(tmp_path)


def test_another_parquet_file_is_told_with_its_row(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"candidate": ["{}"]}), tmp_path / TRIALS_FILE)
    with pytest.raises(EvaluatorError, match=r"row 1 of .* is no row of a table of trainings: KeyError"):
        read_entries(tmp_path)
