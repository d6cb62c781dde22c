from __future__ import annotations

from pathlib import Path

import pytest

from automl import StudyError
from automl.finals._entrants import best_candidates, entrants_of
from evaluators import Evaluation, Fidelity, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options
from tests.automl.planted_study import planted_study

NE = (Objective("ne"),)


def trial(number: int, ne: float, *, rate: float, rung: int = 0, replicate: int = 0) -> Trial:
    suggestion = Suggestion(Candidate(None, Options(learning_rate=rate)), Fidelity(rung), replicate)
    return Trial(number, "search", suggestion, TrialState.COMPLETE, Evaluation({"ne": Metric(ne)}))


def test_candidates_come_best_first_and_once() -> None:
    trials = [trial(0, 0.9, rate=0.1), trial(1, 0.8, rate=0.2), trial(2, 0.8, rate=0.2, replicate=1)]
    assert [one.number for one in best_candidates(trials, NE)] == [1, 0]


def test_replicates_count_with_their_mean() -> None:
    trials = [trial(0, 0.80, rate=0.1), trial(1, 0.90, rate=0.1, replicate=1), trial(2, 0.84, rate=0.2)]
    assert [one.number for one in best_candidates(trials, NE)] == [2, 0]


def test_only_the_highest_rung_counts() -> None:
    assert [one.number for one in best_candidates([trial(0, 0.7, rate=0.1), trial(1, 0.8, rate=0.2, rung=1)], NE)] == [
        1
    ]


def test_a_candidate_out_of_bounds_is_no_finalist() -> None:
    bounded = (Objective("ne", bound=0.85),)
    assert [one.number for one in best_candidates([trial(0, 0.9, rate=0.1), trial(1, 0.8, rate=0.2)], bounded)] == [1]


def test_finalists_come_before_the_baselines_of_the_study(tmp_path: Path) -> None:
    study = planted_study(tmp_path, baselines=["deepfm"])
    study.optimize(4)
    found = entrants_of(study, top=2)
    assert [one.is_baseline for one in found] == [False, False, True]
    assert found[-1].name == "deepfm"
    assert (
        found[0].trial.number
        == min((one for one in study.trials if one.stage == "search"), key=lambda one: one.value("ne") or 9.0).number
    )


def test_a_study_without_a_finalist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        StudyError, match="finals compare at least two models, but study 's' has not been searched and has 0"
    ):
        entrants_of(planted_study(tmp_path), top=2)
