from __future__ import annotations

from automl.report import _tables
from automl.report._view import View, look_at
from evaluators import Trial
from tests.automl.report.studies import FLOPS, NE, RECORD, SCHEMA, failed, measured


def seen(*trials: Trial) -> View:
    return look_at(trials, [NE, FLOPS])


def test_the_front_table_holds_the_measures() -> None:
    table = _tables.front_table(seen(measured(30, 0.9, 1e5)))
    assert table.rows == (
        ("30", "0.90000", "0.65000", "100 k", "50.0 k", "900 k", "7.30", "15.0 k", "0.450", "3.8", "15"),
    )
    assert len(table.headings) == len(table.rows[0])


def test_failures_are_counted_by_kind() -> None:
    table = _tables.failure_table(seen(failed(0), failed(3)))
    assert table.rows == (("diverged", "2", "0, 3", "the loss was not finite after 512 rows"),)


def test_the_cost_counts_failed_trials_too() -> None:
    rows = {row[0]: row[1] for row in _tables.cost_table(seen(measured(0, 0.9, 0.0), failed(1))).rows}
    assert rows["Evaluation time, all trials"] == "4.5 s"
    assert rows["Mean per trial"] == "2.2 s"
    assert rows["Rows trained on"] == "79.0 k"
    assert rows["First start to last finish"] == "4.5 s"


def test_the_provenance_names_study_seed_data_and_versions() -> None:
    rows = {row[0]: row[1] for row in _tables.provenance_table(RECORD, SCHEMA).rows}
    assert rows["Identifier"] == RECORD.uid
    assert rows["Seed"] == "1"
    assert rows["Data digest"] == "sha256:0f3b"
    assert rows["Versions torch"] == "2.13.0"
    assert rows["Schema"] == f"1 numeric, 2 categorical fields, digest {SCHEMA.digest}"
