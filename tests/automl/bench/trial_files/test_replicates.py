"""Rows become trainings: candidates with replicates, costs and failures, as races and predictors need them."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from automl.bench.trial_files.reading import TrialFile, TrialFileError, read_trials
from automl.bench.trial_files.source import Source
from automl.bench.trial_files.words import told
from evaluators import Evaluation, Failure, Goal
from searchspaces import Options
from tests.automl.bench.race.grounds import trials_file
from tests.evaluators.small_tables import different

UP = Goal.MAXIMIZE
NESTED = [
    {"experiment": f"e{at}", "valid_auc": 0.7 + at / 100, "settings": {"dim": dim, "act": act}}
    for at, (dim, act) in enumerate(((4, "relu"), (4, "tanh"), (16, "relu"), (32, "tanh")))
]


def _flat(folder: Path) -> Path:
    """As complete tables of benchmarks are: choices, then figures of several seeds."""
    rows = [
        {"Op0": one, "Op1": other, "val_acc_0": 90 + one, "val_acc_1": 91 + other, "latency": 0.01 * (one + 3 * other)}
        for one in range(3)
        for other in range(3)
    ]
    path = folder / "table.csv"
    with path.open("w", encoding="utf-8", newline="") as lines:
        writer = csv.DictWriter(lines, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def _tracked(folder: Path, **changes: Any) -> Path:
    """Lines as the tracker of this project writes them."""
    candidates = [one.to_dict() for one in different(3)]
    ended = [
        {"suggestion": {"candidate": one}, "state": "COMPLETE", "evaluation": {"metrics": {"ne": [value, 0.01]}}}
        for one, value in zip(candidates, (0.8, 0.7), strict=False)
    ]
    failed = {"suggestion": {"candidate": candidates[2]}, "state": "FAIL", **changes}
    return trials_file(folder, [{"study": "s", "entry": "e"}, *ended, failed])


def _values(found: TrialFile, metric: str) -> list[float]:
    return [one.outcome.value(metric) for one in found.entries if isinstance(one.outcome, Evaluation)]


def test_settings_are_a_candidate_by_the_names_of_their_columns(tmp_path: Path) -> None:
    found = read_trials(Source(trials_file(tmp_path, NESTED), "valid_auc", UP))
    assert found.entries[0].candidate.training == Options({"settings.dim": 4, "settings.act": "relu"})
    assert _values(found, "auc") == pytest.approx([0.7, 0.71, 0.72, 0.73])
    assert found.verdict.dropped["experiment"] == "names the row"


def test_figures_of_several_seeds_are_replicates(tmp_path: Path) -> None:
    found = read_trials(Source(_flat(tmp_path), "val_acc", UP))
    assert found.verdict.choices == ("Op0", "Op1")
    assert [(one.number, one.replicate) for one in found.entries[:4]] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert _values(found, "auc")[:4] == [90.0, 91.0, 90.0, 92.0]


def test_rows_of_equal_settings_are_replicates(tmp_path: Path) -> None:
    found = read_trials(Source(_flat(tmp_path), "val_acc", UP, exclude=("Op1",)))
    assert {one.number for one in found.entries} == {0, 1, 2}
    assert [one.replicate for one in found.entries if one.number == 0] == list(range(6))


def test_a_whole_number_and_the_same_fraction_are_one_setting(tmp_path: Path) -> None:
    rows = [{"rate": rate, "ne": 0.5} for rate in (1, 1.0, 2, 2.0)]
    assert [one.number for one in read_trials(Source(trials_file(tmp_path, rows), "ne")).entries] == [0, 0, 1, 1]


def test_what_a_candidate_costs_is_its_second_metric_and_no_choice(tmp_path: Path) -> None:
    rows = [{"op": at % 4, "acc": at / 10, "load": at % 3, "load_1": at % 2} for at in range(8)]
    rows[3]["load"] = None  # type: ignore[assignment]  # a figure that is missing
    found = read_trials(Source(trials_file(tmp_path, rows), "acc", UP, cost="load"))
    assert _values(found, "params") == [0, 1, 2, 1, 2, 0, 1]
    assert (found.verdict.dropped["load"], found.verdict.dropped["load_1"]) == ("is the cost", "is the cost")
    assert found.rows["without_metric"] == 1


def test_columns_that_are_named_are_kept_in_addition(tmp_path: Path) -> None:
    found = read_trials(Source(_flat(tmp_path), "val_acc", UP, choices=("latency",)))
    assert found.verdict.choices == ("Op0", "Op1", "latency")


def test_rows_may_be_chosen(tmp_path: Path) -> None:
    rows = [{**row, "model": model} for model in "ab" for row in NESTED]
    found = read_trials(Source(trials_file(tmp_path, rows), "valid_auc", UP, where={"model": "b"}))
    assert (found.rows["read"], found.rows["other"], len(found.entries)) == (8, 4, 4)


@pytest.mark.parametrize(
    ("metric", "goal", "name", "wanted"),
    [
        ("logloss", None, "logloss", Goal.MINIMIZE),
        ("qps", None, "qps", Goal.MAXIMIZE),
        ("logloss", Goal.MAXIMIZE, "auc", Goal.MAXIMIZE),
        ("val_loss", None, "ne", Goal.MINIMIZE),
    ],
)
def test_a_known_metric_keeps_its_name_and_another_gets_that_of_its_goal(
    metric: str, goal: Goal | None, name: str, wanted: Goal
) -> None:
    source = Source(Path("x"), metric, goal)
    assert (source.known_as, source.wanted) == (name, wanted)


def test_trials_of_our_own_tracker_are_whole_candidates_and_failures_stay_failures(tmp_path: Path) -> None:
    found = read_trials(Source(_tracked(tmp_path), "ne"))
    assert [type(one.outcome) for one in found.entries] == [Evaluation, Evaluation, Failure]
    assert [one.candidate.fingerprint for one in found.entries] == [one.fingerprint for one in different(3)]
    assert _values(found, "ne") == [0.8, 0.7]
    assert dict(found.rows) == {"read": 4, "other": 0, "unfinished": 1, "without_metric": 1, "candidates": 2}
    assert told(found.about())[1] == "choices: all of a candidate"


def test_a_trial_that_was_pruned_is_neither_measured_nor_failed(tmp_path: Path) -> None:
    pruned = {"state": "PRUNED", "evaluation": {"metrics": {"ne": [0.9, 0.01]}}}
    found = read_trials(Source(_tracked(tmp_path, **pruned), "ne"))
    assert _values(found, "ne") == [0.8, 0.7]
    assert (len(found.entries), found.rows["unfinished"]) == (2, 1)


def test_nothing_is_left_out_of_whole_candidates(tmp_path: Path) -> None:
    with pytest.raises(TrialFileError, match=r"--choices and --exclude name columns of settings, but .* has whole"):
        read_trials(Source(_tracked(tmp_path), "ne", exclude=("state",)))


def test_a_column_of_that_name_alone_is_no_candidate(tmp_path: Path) -> None:
    rows = [{"candidate": name, "ne": at / 10} for at, name in enumerate("abab")]
    nested = [{**row, "candidate": {"kind": row["candidate"]}} for row in rows]
    found = [read_trials(Source(trials_file(tmp_path, one), "ne")).verdict.choices for one in (rows, nested)]
    assert found == [("candidate",), ("candidate.kind",)]
