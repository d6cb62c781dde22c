"""Which trial is the control, and what a gain over it is."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.control import control_of, control_words, gain, quality_objective
from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options

NE, AUC = Objective("ne"), Objective("auc")


def trial(number: int, stage: str = "search", origin: str = "", **metrics: float) -> Trial:
    suggestion = Suggestion(Candidate(None, Options(number=number)), origin=origin)
    evaluation = Evaluation({name: Metric(value) for name, value in metrics.items()})
    return Trial(number, stage, suggestion, TrialState.COMPLETE, evaluation)


def failed(number: int, origin: str) -> Trial:
    suggestion = Suggestion(Candidate(None, Options(number=number)), origin=origin)
    return Trial(number, "baseline", suggestion, TrialState.FAIL, failure=Failure(FailureKind.CRASHED, "it fell over"))


def test_the_users_own_baseline_is_the_control_though_another_is_better() -> None:
    trials = [trial(0, "baseline", "baseline", ne=0.9), trial(1, "baseline", "zoo:dlrm", ne=0.8), trial(2, ne=0.7)]
    assert control_of(trials, [NE]) is trials[0]


def test_without_one_the_best_human_made_baseline_on_the_first_objective_is_the_control() -> None:
    trials = [
        failed(0, "zoo:lr"),
        trial(1, "baseline", "zoo:dlrm", ne=0.9, auc=0.9),
        trial(2, "baseline", "zoo:dcnv2", ne=0.8, auc=0.7),
        trial(3, ne=0.5, auc=0.99),
    ]
    assert control_of(trials, [NE, AUC]) is trials[2]
    assert control_of(trials, [AUC, NE]) is trials[1]


def test_a_bound_does_not_bar_a_control() -> None:
    only = trial(0, "baseline", "zoo:dlrm", ne=0.9)
    assert control_of([only], [Objective("ne", bound=0.5)]) is only


def test_a_study_without_baselines_has_no_control() -> None:
    assert control_of([trial(0, ne=0.5)], [NE]) is None
    assert control_of([trial(0, "baseline", "zoo:dlrm", ne=0.5)], []) is None


def test_a_users_baseline_that_failed_stays_the_control_and_gives_no_gain() -> None:
    broken = failed(0, "baseline")
    assert control_of([broken, trial(1, "baseline", "zoo:dlrm", ne=0.8)], [NE]) is broken
    assert gain(trial(2, ne=0.7), broken, NE) is None


def test_a_gain_is_positive_where_the_trial_is_better_whichever_way_better_is() -> None:
    control = trial(0, "baseline", "baseline", ne=0.8, auc=0.5)
    better = trial(1, ne=0.6, auc=0.75)
    assert gain(better, control, NE) == pytest.approx(25.0)
    assert gain(better, control, AUC) == pytest.approx(50.0)
    assert gain(control, control, NE) == 0.0
    worse = gain(trial(2, ne=0.9), control, NE)
    assert worse == pytest.approx(-12.5)


def test_a_gain_needs_a_value_on_both_sides_and_a_control_that_is_not_zero() -> None:
    control = trial(0, "baseline", "baseline", ne=0.8)
    assert gain(trial(1, auc=0.7), control, NE) is None
    assert gain(trial(1, auc=0.7), control, AUC) is None
    assert gain(trial(1, ne=0.7), None, NE) is None
    assert gain(trial(1, ne=0.7), trial(0, "baseline", "baseline", ne=0.0), NE) is None


def test_a_trial_of_a_cheap_rung_has_no_gain_over_a_full_training() -> None:
    control, cheap = trial(0, "baseline", "baseline", ne=0.9), trial(1, ne=0.8)
    cheap = replace(cheap, suggestion=replace(cheap.suggestion, fidelity=Fidelity(-1)))
    assert gain(cheap, control, NE) is None


def test_quality_is_the_objective_that_measures_predictions_wherever_it_stands() -> None:
    assert quality_objective([Objective("flops"), AUC, NE]) is NE
    assert quality_objective([Objective("flops"), AUC]) is AUC
    assert quality_objective([Objective("flops")]).metric == "flops"


def test_words_name_the_control_its_error_and_the_noise() -> None:
    control = trial(3, "baseline", "zoo:dlrm", ne=0.9)
    measured = replace(control, evaluation=Evaluation({"ne": Metric(0.9, 0.00123)}))
    assert control_words(measured, NE) == (
        "gains over the control, zoo:dlrm (trial 3, ne 0.9 ± 0.0012); single trainings have noise, so a small gain "
        "may be none"
    )
    assert "your baseline (trial 0, ne 0.8);" in control_words(trial(0, "baseline", "baseline", ne=0.8), NE)


def test_words_say_why_there_are_no_gains() -> None:
    assert control_words(None, NE) == "no gains: the study has no baseline yet"
    assert control_words(failed(0, "baseline"), NE) == (
        "no gains: the control, your baseline (trial 0), has no ne (FAIL: it fell over)"
    )
    waiting = replace(failed(0, "baseline"), state=TrialState.WAITING, failure=None)
    assert control_words(waiting, NE).endswith("has no ne (WAITING)")
