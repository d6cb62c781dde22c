from __future__ import annotations

import numpy as np
import pytest

from automl.proposals import absolute_ages, published_ages, survivors
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate
from tests.automl._bitstrings import finished

OBJECTIVES = (Objective("ne"), Objective("flops"))
WEIGHTS = (0.1, 1.0, 0.1)


def trial(number: int, ne: float, flops: float = 1.0) -> Trial:
    return finished(number, Suggestion(Candidate()), Evaluation({"ne": Metric(ne), "flops": Metric(flops)}))


def living(trials: list[Trial], population: int, weights: tuple[float, float, float] = WEIGHTS) -> list[int]:
    ages = absolute_ages(len(trials))
    alive = survivors(trials, ages, objectives=OBJECTIVES, weights=weights, population=population)
    return [one.number for one in alive]


def test_a_trial_ages_by_a_hundredth_with_each_later_one() -> None:
    np.testing.assert_allclose(absolute_ages(4), [0.03, 0.02, 0.01, 0.0])
    assert absolute_ages(5000)[-3] == pytest.approx(0.02)


def test_on_the_published_scale_the_first_population_shares_the_age_of_its_last() -> None:
    np.testing.assert_allclose(published_ages(5, 3), [0.6, 0.6, 0.6, 0.4, 0.2])
    np.testing.assert_allclose(published_ages(2, 3), [0.5, 0.5])
    assert published_ages(0, 3).shape == (0,)


def test_everyone_lives_until_the_population_is_full() -> None:
    assert living([trial(number, 1.0) for number in range(3)], 3) == [0, 1, 2]
    assert living([], 3) == []


def test_loss_decides_among_trials_of_similar_age() -> None:
    assert living([trial(0, 0.8), trial(1, 0.9), trial(2, 0.7)], 2) == [0, 2]


def test_complexity_decides_where_losses_are_equal() -> None:
    assert living([trial(0, 0.8, 1.0), trial(1, 0.8, 9.0), trial(2, 0.8, 2.0)], 2) == [0, 2]


def test_the_score_is_the_weighted_sum_worked_by_hand() -> None:
    # loss ranks 1, 4, 2, 3; complexity ranks 4, 1, 3, 2; ages .03, .02, .01, 0
    # scores .1*1/4+.03+.1*4/4=.155, .1+.02+.025=.145, .05+.01+.075=.135, .075+0+.05=.125
    trials = [trial(0, 0.70, 40), trial(1, 0.90, 10), trial(2, 0.75, 30), trial(3, 0.80, 20)]
    assert living(trials, 2) == [2, 3]
    # by loss alone, the two smallest
    assert living(trials, 2, (0.2, 0.0, 0.0)) == [0, 2]


def test_only_the_youngest_two_populations_are_compared() -> None:
    best_but_old = [trial(0, 0.1), *(trial(number, 0.9) for number in range(1, 5))]
    assert 0 not in living(best_but_old, 2, (1.0, 0.0, 0.0))


def test_a_failed_trial_is_the_first_to_go() -> None:
    failed = finished(2, Suggestion(Candidate()), Failure(FailureKind.CRASHED, "it fell"))
    assert living([trial(0, 0.9), trial(1, 0.9), failed], 2) == [0, 1]
