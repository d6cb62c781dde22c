from __future__ import annotations

from math import inf

import pytest

from automl.proposals import dominance_ranks, violation
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate
from tests.automl._bitstrings import finished

OBJECTIVES = (Objective("auc"), Objective("flops", bound=10.0))


def trial(number: int, auc: float, flops: float) -> Trial:
    return finished(number, Suggestion(Candidate()), Evaluation({"auc": Metric(auc), "flops": Metric(flops)}))


FAILED = finished(9, Suggestion(Candidate()), Failure(FailureKind.CRASHED, "it fell"))


def test_fronts_come_first_then_broken_bounds_by_their_excess_then_failures() -> None:
    trials = [trial(0, 0.7, 5), trial(1, 0.6, 4), FAILED, trial(3, 0.9, 30), trial(4, 0.9, 11), trial(5, 0.6, 5)]
    assert dominance_ranks(trials, OBJECTIVES).tolist() == [1, 1, 5, 4, 3, 2]


def test_with_one_objective_the_ranks_are_those_of_its_values() -> None:
    trials = [trial(number, auc, 1) for number, auc in enumerate((0.7, 0.8, 0.7, 0.6))]
    assert dominance_ranks(trials, OBJECTIVES[:1]).tolist() == [2, 1, 2, 3]


def test_none_have_no_ranks() -> None:
    assert dominance_ranks([], OBJECTIVES).shape == (0,)


@pytest.mark.parametrize(("flops", "expected"), [(10.0, 0.0), (15.0, 0.5), (3.0, 0.0)])
def test_a_violation_is_relative_to_the_bound(flops: float, expected: float) -> None:
    assert violation(trial(0, 0.7, flops), OBJECTIVES) == pytest.approx(expected)


def test_what_has_no_value_breaks_every_bound() -> None:
    assert violation(FAILED, OBJECTIVES) == inf
    assert violation(trial(0, 0.7, 1.0), (Objective("ne"),)) == inf
