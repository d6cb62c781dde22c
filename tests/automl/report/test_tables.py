from __future__ import annotations

from dataclasses import replace

from automl.report import _tables
from automl.report._candidate_tables import baseline_table, front_table
from automl.report._view import View, look_at
from evaluators import Trial
from tests.automl.report.studies import FLOPS, NE, RECORD, SCHEMA, baselines, failed, measured, own, search


def seen(*trials: Trial) -> View:
    return look_at(trials, [NE, FLOPS])


def test_the_front_table_holds_the_measures() -> None:
    table = front_table(seen(measured(30, 0.9, 1e5)))
    assert table.rows == (
        ("30", "0.90000", "100 k", "0.65000", "50.0 k", "900 k", "7.30", "15.0 k", "0.450", "3.8", "15"),
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


def test_the_front_and_the_baselines_have_gains_over_the_control() -> None:
    view = seen(*baselines(), own(ne=0.91), measured(30, 0.8645, 1e5))
    table, others = front_table(view), baseline_table(view)
    assert table.rows[0][table.headings.index("Gain")] == "+5.00 %"
    rows = {row[0]: (row[others.headings.index("Gain")], row[-1]) for row in others.rows}
    assert rows["Your baseline (control)"] == ("+0.00 %", "+5.00 %")
    assert rows["DCNv2"] == ("+0.56 %", "+4.46 %")
    assert rows["Logistic regression"] == ("\N{MINUS SIGN}2.31 %", "+7.14 %")


def test_the_ledger_table_has_a_row_a_stage() -> None:
    table = _tables.ledger_table(seen(*baselines(), measured(30, 0.9, 1e5), failed(31)))
    assert [row[0] for row in table.rows] == ["Baseline", "Search"]
    assert table.rows[1] == ("Search", "1", "0", "1", "0", "4.8 s", "79.0 k", "\N{EN DASH}", "21.1 %")
    assert {len(row) for row in table.rows} == {len(table.headings)}


def test_a_model_in_the_facts_is_told_by_its_fingerprint() -> None:
    facts = {"baseline": {"source": "mine.yaml", "fingerprint": "v1:ab", "candidate": {"training": {"passes": 2}}}}
    rows = {row[0]: row[1] for row in _tables.provenance_table(replace(RECORD, facts=facts), None).rows}
    assert (rows["Baseline source"], rows["Baseline fingerprint"]) == ("mine.yaml", "v1:ab")
    assert not [name for name in rows if "andidate" in name]


def test_the_tree_leads_to_the_winner_and_says_what_was_done() -> None:
    table = _tables.tree_table(seen(*baselines(), *search()))
    *_, parent, winner = table.rows
    assert winner[0] == "82"
    assert (winner[1], winner[3]) == (parent[0], "widen mlp: width 105 to 146")
    assert winner[5].startswith(("+", "\N{MINUS SIGN}"))


def test_each_kind_of_edit_has_its_mean_gain_and_interval() -> None:
    view = seen(*baselines(), *search())
    [row] = _tables.edit_table(view).rows
    [found] = view.lineage.edits
    assert row[:3] == ("widen mlp", str(found.count), str(found.better))
    assert found.low is not None
    assert row[4].startswith(f"{found.low:+.5f}".replace("-", "\N{MINUS SIGN}"))


def test_there_are_no_edits_to_tell_without_parents() -> None:
    assert _tables.edit_table(seen(*baselines())).rows == ()
