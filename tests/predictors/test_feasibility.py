from __future__ import annotations

import numpy as np
import pytest

from evaluators import Failure, FailureKind, Objective, Suggestion, Trial
from predictors import Prediction
from predictors._encoder import Encoder
from predictors._feasibility import Feasibility, with_failures
from tests.automl._bitstrings import finished
from tests.predictors.records import SPACE, sampled

NE = Objective("ne")
FELL = Failure(FailureKind.DIVERGED, "the loss is not finite")


def learned(record: list[Trial]) -> Feasibility:
    return Feasibility.learned(record, NE, Encoder(SPACE), seed=0)


def codes(count: int) -> np.typing.NDArray[np.float64]:
    return np.stack([SPACE.encode(one) for one in sampled(count, seed=1)])


def test_nothing_fails_where_nothing_failed() -> None:
    record = [finished(number, Suggestion(one)) for number, one in enumerate(sampled(10))]
    assert learned(record).probability(codes(3)).tolist() == [0.0, 0.0, 0.0]


def test_a_record_of_failures_gives_laplaces_rate() -> None:
    record = [finished(number, Suggestion(one), FELL) for number, one in enumerate(sampled(8))]
    assert learned(record).probability(codes(1)).tolist() == [0.9]


def test_candidates_like_those_that_failed_are_likely_to_fail() -> None:
    record = [
        finished(number, Suggestion(one), FELL if one.training["bit03"] else None)
        for number, one in enumerate(sampled(60))
    ]
    new = codes(50)
    probability = learned(record).probability(new)
    assert probability[new[:, 3] == 1].min() > probability[new[:, 3] == 0].max()


def test_a_failure_is_worth_the_worst_loss() -> None:
    found = with_failures(Prediction(np.array([1.0, 1.0]), np.array([0.5, 0.5])), np.array([0.0, 1.0]), worst=3.0)
    assert found.mean.tolist() == [1.0, 3.0]
    assert found.std.tolist() == [0.5, 0.0]


def test_mean_and_spread_are_those_of_the_mixture() -> None:
    rng = np.random.default_rng(0)
    drawn = np.where(rng.random(400_000) < 0.3, 3.0, rng.normal(1.0, 0.5, 400_000))
    found = with_failures(Prediction(np.array([1.0]), np.array([0.5])), np.array([0.3]), worst=3.0)
    assert found.mean[0] == pytest.approx(drawn.mean(), abs=0.01)
    assert found.std[0] == pytest.approx(drawn.std(), abs=0.01)


def test_failing_is_never_better_than_what_is_predicted() -> None:
    found = with_failures(Prediction(np.array([5.0]), np.array([0.1])), np.array([0.5]), worst=3.0)
    assert found.mean.tolist() == [5.0]
