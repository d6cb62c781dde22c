from __future__ import annotations

from dataclasses import replace

import numpy as np

from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial, TrialState
from predictors import loss_ranks
from searchspaces import Candidate
from tests.automl._bitstrings import finished

FAILED = Failure(FailureKind.TIMEOUT, "it took too long")


def trial(auc: float, state: TrialState = TrialState.COMPLETE) -> Trial:
    return replace(finished(0, Suggestion(Candidate()), Evaluation({"auc": Metric(auc)})), state=state)


def test_the_goal_of_the_objective_says_which_end_is_best() -> None:
    np.testing.assert_array_equal(loss_ranks([trial(0.7), trial(0.8), trial(0.6)], Objective("auc")), [2, 1, 3])


def test_equal_values_share_their_mean_rank() -> None:
    np.testing.assert_array_equal(loss_ranks([trial(0.7), trial(0.8), trial(0.7)], Objective("auc")), [2.5, 1, 2.5])


def test_pruned_trials_follow_complete_ones_and_failed_ones_are_last() -> None:
    trials = [finished(0, Suggestion(Candidate()), FAILED), trial(0.9, TrialState.PRUNED), trial(0.5)]
    np.testing.assert_array_equal(loss_ranks(trials, Objective("auc")), [3, 2, 1])


def test_a_trial_without_the_metric_ranks_with_the_failed_ones() -> None:
    trials = [trial(0.9), finished(0, Suggestion(Candidate()), FAILED)]
    np.testing.assert_array_equal(loss_ranks(trials, Objective("flops")), [1.5, 1.5])


def test_no_trials_have_no_ranks() -> None:
    assert loss_ranks([], Objective("ne")).shape == (0,)
