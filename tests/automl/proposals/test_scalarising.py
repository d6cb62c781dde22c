from __future__ import annotations

import numpy as np

from automl.proposals import scalarised
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate
from tests.automl._bitstrings import finished

OBJECTIVES = (Objective("ne"), Objective("flops", bound=10.0))


def trial(number: int, ne: float, flops: float) -> Trial:
    return finished(number, Suggestion(Candidate()), Evaluation({"ne": Metric(ne), "flops": Metric(flops)}))


def winners(trials: list[Trial], objectives: tuple[Objective, ...] = OBJECTIVES) -> set[int]:
    rng = np.random.default_rng(0)
    return {int(np.argmin(scalarised(trials, objectives, rng))) for _ in range(200)}


def test_what_is_dominated_never_wins_and_the_best_of_the_first_objective_may() -> None:
    trials = [trial(0, 0.7, 9), trial(1, 0.8, 4), trial(2, 0.85, 5), trial(3, 0.7, 10)]
    assert winners(trials) == {0, 1}


def test_one_objective_is_ordered_by_its_values() -> None:
    scores = scalarised(
        [trial(0, 0.8, 1), trial(1, 0.7, 1), trial(2, 0.9, 1)], OBJECTIVES[:1], np.random.default_rng(0)
    )
    assert np.argsort(scores).tolist() == [1, 0, 2]


def test_broken_bounds_come_behind_by_their_excess_and_failures_last() -> None:
    failed = finished(9, Suggestion(Candidate()), Failure(FailureKind.CRASHED, "it fell"))
    trials = [failed, trial(1, 0.1, 30), trial(2, 0.9, 9), trial(3, 0.9, 11)]
    assert np.argsort(scalarised(trials, OBJECTIVES, np.random.default_rng(0))).tolist() == [2, 3, 1, 0]


def test_none_have_no_scores() -> None:
    assert scalarised([], OBJECTIVES, np.random.default_rng(0)).shape == (0,)
