"""What predictors that learn an order make of failures: their chance is mixed in, and they move no place."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evaluators import Failure, FailureKind, Objective, Suggestion, Trial, TrialState
from predictors._encoder import Encoder
from predictors._feasibility import Feasibility, with_failures
from predictors.forest import Forest
from predictors.lambdarank import LambdaRank
from predictors.pairwise_mlp import PairwiseMLP
from tests.automl._bitstrings import finished
from tests.predictors.records import HELD_OUT, SPACE, sampled

FELL = Failure(FailureKind.DIVERGED, "the loss is not finite")
PREDICTORS: dict[str, Any] = {
    "forest": lambda: Forest(SPACE, trees=20),
    "lambdarank": lambda: LambdaRank(SPACE, rounds=20),
    "pairwise_mlp": lambda: PairwiseMLP(SPACE, ensemble=2, steps=20),
}
every_one = pytest.mark.parametrize("name", PREDICTORS)


def record(count: int = 60) -> list[Trial]:
    """Whatever has bit 3 fails."""
    return [
        finished(number, Suggestion(one), FELL if one.training["bit03"] else None)
        for number, one in enumerate(sampled(count))
    ]


def fitted(name: str, trials: list[Trial]) -> Any:
    return PREDICTORS[name]().fit(trials, "ne", rng=np.random.default_rng(0))


@every_one
def test_failures_move_no_place_and_their_chance_is_mixed_in(name: str) -> None:
    complete = [trial for trial in record() if trial.state is TrialState.COMPLETE]
    hoped = fitted(name, complete)
    of_record = hoped.predict([trial.suggestion for trial in complete]).mean
    encoder, seed = Encoder(SPACE), int(np.random.default_rng(0).integers(2**31))
    chance = Feasibility.learned(record(), Objective("ne"), encoder, seed=seed)
    codes = encoder.passing(one.candidate for one in HELD_OUT)
    worst = 1.0 if name == "forest" else float(of_record.max())
    expected = with_failures(hoped.predict(HELD_OUT), chance.probability(codes), worst=worst)
    found = fitted(name, record()).predict(HELD_OUT)
    np.testing.assert_allclose(found.mean, expected.mean, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(found.std, expected.std, rtol=1e-4, atol=1e-5)


@every_one
def test_where_few_have_a_value_what_fails_is_learned_all_the_same(name: str) -> None:
    kept = [trial for trial in record() if trial.state is TrialState.FAIL]
    complete = [trial for trial in record() if trial.state is TrialState.COMPLETE][:3]
    mean = fitted(name, [*kept[:9], *complete]).predict([one.suggestion for one in record()]).mean
    fails = np.array([one.state is TrialState.FAIL for one in record()])
    assert mean[fails].mean() > mean[~fails].mean()


def test_as_published_failures_are_ranked_last() -> None:
    guide = LambdaRank(SPACE, faithful=True).fit(record(), "ne", rng=np.random.default_rng(0))
    assert guide._feasibility.rate == 0.0
    assert not guide.predict(HELD_OUT).std.any()
