"""Benchmarks run and count; their figures are for docs/benchmarks, never for a test."""

from __future__ import annotations

import itertools
from pathlib import Path
from unittest.mock import Mock

import numpy as np
import pytest

from automl.bench import kills as bench_kills
from automl.bench._timing import Timed, machine, timed
from automl.bench.audits import Plant, audits, planted
from automl.bench.comparison import searches
from automl.bench.comparison.benchmark import comparison
from automl.bench.comparison.searches import Meter, Plan
from automl.bench.kills import kills
from automl.bench.latency import latency
from automl.bench.overhead import overhead
from automl.fidelity import Rule, agreement, resamples
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


def test_planted_rungs_are_audited_as_often_as_said() -> None:
    found = audits(audits=3, seed=1, rule=Rule(steps=(8, 12), resamples=100))
    assert found["rungs"][0]["rung"] == "precise but wrong"
    for row in found["rungs"]:
        assert row["accepted"] + row["refused"] == 1.0
        assert row["accepted_interval"][0] <= row["accepted"] <= row["accepted_interval"][1]


def test_planted_labels_have_the_agreement_that_is_planted() -> None:
    plant = Plant("half", 0.7, 0.5)
    rung, full = planted(plant, 3000, np.random.default_rng(1))
    found = agreement(rung, full, resamples(rung, full, count=5, rng=np.random.default_rng(2)), confidence=0.9)
    assert found.share == pytest.approx(0.5, abs=0.05)
    assert found.rung_reliability == pytest.approx(0.7, abs=0.04)


@pytest.mark.slow
def test_overhead_measures_every_part(tmp_path: Path) -> None:
    found = overhead(trials=20, searcher="random_search", folder=tmp_path)
    assert found["store_ms_per_trial"]["first"] > 0
    assert found["tracker_ms_per_trial"]["last"] > 0
    assert found["sync_trials_per_second"] > 0
    assert set(found["lists_ms"]) == {"front", "trials", "status"}


@pytest.mark.slow
def test_a_killed_search_equals_an_undisturbed_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench_kills, "ROWS", 6000)
    monkeypatch.setattr(bench_kills, "TRAINED_ROWS", 3000)
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
    plan = Plan(str(data.folder), tmp_path / "kept", ("random_search",), trials=2, seeds=2, threads=1, runs=2)
    found = comparison(plan)
    assert len(found["finalists"]) == 7
    assert sorted(row["seed"] for row in found["finalists"] if row["name"] == "random_search") == [1, 2]
    assert [one["rows_trained"] for one in found["searches"].values()] == [2 * data.rows["train"]] * 2
    assert next(row for row in found["finalists"] if row["name"] == found["reference"])["difference"]["mean"] == 0.0
    assert comparison(plan) == found


@pytest.mark.slow
def test_a_search_that_cpu_time_ends_plans_its_end_by_the_trials_it_has_time_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data, clock = prepare("synthetic", out=tmp_path / "data", options={"rows": 2000}), itertools.count()
    (tmp_path / "kept").mkdir()
    monkeypatch.setattr(searches, "cpu_seconds", lambda: float(next(clock)))
    plan = Plan(str(data.folder), tmp_path / "kept", threads=1, minutes=0.4)
    study = searches.searched(plan, "random_search", 1)
    foreseen = study.budget.trials
    assert foreseen is not None
    assert 3 < foreseen < 20
    done = sum(one.stage == "search" for one in study.trials)
    assert abs(foreseen - done) <= 2
    study.close()
    again = searches.searched(plan, "random_search", 1)
    assert (again.budget.trials, len(again.trials)) == (foreseen, len(study.trials))
    again.close()


def test_latency_asks_each_searcher_on_each_record() -> None:
    found = latency([{"name": "random_search"}, {"name": "autoctr", "population": 8}], sizes=(10, 12), asks=2, seed=1)
    asked = [("random_search", 10), ("random_search", 12), ("autoctr:population=8", 10), ("autoctr:population=8", 12)]
    assert [(row["searcher"], row["trials"]) for row in found["rows"]] == asked
    assert all(0 <= row["median"] <= row["largest"] for row in found["rows"])


def test_a_meter_ends_a_search_and_goes_on_counting_after_a_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "automl")
    study, trial = Mock(), Mock(number=3)
    meter = Meter(tmp_path / "cpu.json", limit=1e6)
    meter(study, trial)
    assert not study.stop.called
    (tmp_path / "cpu.json").write_text("1000000.0", encoding="utf-8")
    again = Meter(tmp_path / "cpu.json", limit=1e6)
    assert again.is_spent
    again(study, trial)
    assert study.stop.called
