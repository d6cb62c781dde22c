"""Benchmarks run and count; their figures are for docs/benchmarks, never for a test."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.bench._timing import Timed, machine, timed
from automl.bench.comparison import Plan, comparison
from automl.bench.kills import kills
from automl.bench.overhead import overhead
from automl.validation import prepare


def test_a_stand_in_counts_calls_and_keeps_results() -> None:
    stand_in = Timed(np.random.default_rng(0))
    assert 0 <= stand_in.random() < 1
    assert len(stand_in.seconds("random")) == 1


def test_timing_calls_as_often_as_said() -> None:
    calls: list[int] = []
    assert timed(lambda: calls.append(1), repeats=3) >= 0
    assert len(calls) == 3


def test_the_machine_is_named() -> None:
    assert int(machine()["cores"]) >= 1


@pytest.mark.slow
def test_overhead_measures_every_part(tmp_path: Path) -> None:
    found = overhead(trials=20, searcher="random_search", folder=tmp_path)
    assert found["store_ms_per_trial"]["first"] > 0
    assert found["tracker_ms_per_trial"]["last"] > 0
    assert found["sync_trials_per_second"] > 0
    assert set(found["lists_ms"]) == {"front", "trials", "status"}


@pytest.mark.slow
def test_a_killed_search_equals_an_undisturbed_one() -> None:
    found = kills(kills=1, trials=6, seed=1, searcher="random_search")
    wrong = (
        "lost_or_changed",
        "unfinished",
        "doubled_in_store",
        "other_proposals",
        "other_results",
        "doubled_in_mlflow",
    )
    assert {name: found[name] for name in wrong} == dict.fromkeys(wrong, 0)
    assert found["mlflow_runs"] == found["undisturbed_trials"] == found["disturbed_trials"]


@pytest.mark.slow
def test_a_comparison_goes_on_where_it_stopped(tmp_path: Path) -> None:
    data = prepare("synthetic", out=tmp_path / "data", options={"rows": 2000})
    plan = Plan(str(data.folder), tmp_path / "kept", ("random_search",), trials=2, seeds=2, threads=1)
    found = comparison(plan)
    assert len(found["finalists"]) == 6
    assert next(row for row in found["finalists"] if row["name"] == found["reference"])["difference"]["mean"] == 0.0
    assert comparison(plan) == found
