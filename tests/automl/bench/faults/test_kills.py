"""A search that is killed again and again ends as if nobody had been there."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl.bench.faults import kills
from automl.bench.faults.journal import Journal
from automl.bench.faults.plan import Plan
from evaluators import Evaluation, Metric, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options


def _trial(number: int, losses: int = 0) -> Trial:
    suggestion = Suggestion(Candidate(None, Options(width=number)))
    return Trial(number, "search", suggestion, TrialState.COMPLETE, Evaluation({"ne": Metric(0.9)}), losses=losses)


def test_what_was_lost_with_a_worker_is_always_measured_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "MEASURED_AGAIN", 3)
    trials = [_trial(number, losses=number % 5 == 0) for number in range(10)]
    failed = replace(_trial(10), evaluation=None)
    chosen = {trial.number for trial in kills.to_measure_again([*trials, failed], np.random.default_rng(1))}
    assert len(chosen) == 3
    assert {0, 5} < chosen < set(range(10))


@pytest.mark.slow
def test_two_kills_cost_nothing_and_a_stopped_row_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kills, "EVALUATOR", {"name": "planted", "seconds": 0.05})
    monkeypatch.setattr(kills, "LONGEST_WAIT_SECONDS", 2.0)
    monkeypatch.setattr(kills, "MORE_TRIALS", 4)
    monkeypatch.setattr(kills, "WORKERS_ON_SQLITE", 2)
    found = kills.kills_on_sqlite(Plan(tmp_path, kills=1))
    again = kills.kills_on_sqlite(Plan(tmp_path, kills=2))
    assert (found.verdict, again.verdict) == ("holds", "holds")
    assert again.trials > found.trials > 0
    assert Journal(tmp_path / "a" / "journal.jsonl").count("driver", "worker") == 2
