"""Finished trials of any origin are read: settings and measures are told apart, replicates belong together."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import pytest

from automl._errors import AutomlError
from automl.bench.race.trials import Source, read_trials
from evaluators import Evaluation, Failure
from searchspaces import Options
from tests.automl.bench.race.grounds import trials_file
from tests.evaluators.small_tables import different

NESTED = [
    {"model": "a", "experiment": f"e{at}", "valid_auc": 0.7 + at / 100, "settings": {"dim": dim, "rate": 0.1 * dim}}
    for at, dim in enumerate((4, 8, 16, 32))
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


def _values(found: list[Any], metric: str) -> list[float]:
    return [one.outcome.value(metric) for one in found]


def test_an_object_of_settings_is_a_candidate(tmp_path: Path) -> None:
    found = read_trials(Source(trials_file(tmp_path, NESTED), "valid_auc", maximize=True))
    assert found[0].candidate.training == Options(dim=4, rate=0.4, model="a")
    assert _values(found, "auc") == pytest.approx([0.7, 0.71, 0.72, 0.73])


def test_choices_are_settings_and_figures_of_several_seeds_are_replicates(tmp_path: Path) -> None:
    found = read_trials(Source(_flat(tmp_path), "val_acc", maximize=True))
    assert len({one.number for one in found}) == 9
    assert [one.replicate for one in found[:4]] == [0, 1, 0, 1]
    assert set(found[0].candidate.training) == {"Op0", "Op1"}
    assert _values(found[:4], "auc") == [90.0, 91.0, 90.0, 92.0]


def test_what_a_candidate_costs_is_its_second_metric(tmp_path: Path) -> None:
    found = read_trials(Source(_flat(tmp_path), "val_acc", maximize=True, cost="latency"))
    assert _values(found[2:4], "params") == pytest.approx([0.03, 0.03])
    assert "latency" not in found[0].candidate.training


def test_settings_may_be_named(tmp_path: Path) -> None:
    found = read_trials(Source(_flat(tmp_path), "val_acc", maximize=True, choices=("Op0",)))
    assert {one.number for one in found} == {0, 1, 2}
    assert [one.replicate for one in found if one.number == 0] == list(range(6))


def test_columns_may_be_left_out(tmp_path: Path) -> None:
    found = read_trials(Source(_flat(tmp_path), "val_acc", maximize=True, exclude=("Op1",)))
    assert set(found[0].candidate.training) == {"Op0"}


def test_rows_may_be_chosen(tmp_path: Path) -> None:
    rows = [*NESTED, *({**row, "model": "b"} for row in NESTED)]
    found = read_trials(Source(trials_file(tmp_path, rows), "valid_auc", True, where=(("model", "b"),)))
    assert [one.candidate.training["model"] for one in found] == ["b"] * 4


def test_a_known_metric_keeps_its_name_and_another_gets_that_of_its_goal() -> None:
    assert Source(Path("x"), "logloss").known_as == "logloss"
    assert Source(Path("x"), "logloss", maximize=True).known_as == "auc"
    assert Source(Path("x"), "val_loss").known_as == "ne"


def test_trials_of_our_own_tracker_are_read_and_failures_stay_failures(tmp_path: Path) -> None:
    one, other = (candidate.to_dict() for candidate in different(2))
    rows: list[dict[str, Any]] = [
        {"study": "s", "entry": "e"},
        {"suggestion": {"candidate": one}, "state": "COMPLETE", "evaluation": {"metrics": {"ne": [0.8, 0.01]}}},
        {"suggestion": {"candidate": other}, "state": "FAIL"},
    ]
    found = read_trials(Source(trials_file(tmp_path, rows), "ne"))
    assert [type(entry.outcome) for entry in found] == [Evaluation, Failure]
    assert _values(found[:1], "ne") == [0.8]


def test_trials_without_the_metric_are_told(tmp_path: Path) -> None:
    with pytest.raises(AutomlError, match=r"two different candidates with 'test_loss', but .* has 0; name the metric"):
        read_trials(Source(trials_file(tmp_path, NESTED), "test_loss"))


def test_a_column_of_names_is_no_setting_and_one_of_few_fractions_is(tmp_path: Path) -> None:
    rows = [{"name": f"r{at}", "rate": rate, "score": at / 7} for at, rate in enumerate((0.1, 0.1, 0.2, 0.2, 0.3, 0.3))]
    found = read_trials(Source(trials_file(tmp_path, rows), "score"))
    assert set(found[0].candidate.training) == {"rate"}
