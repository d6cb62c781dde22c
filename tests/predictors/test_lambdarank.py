from __future__ import annotations

import numpy as np
import pytest

from evaluators import Evaluation, Fidelity, Metric, ObjectiveError, Suggestion, Trial
from predictors import PredictorError, rank_correlation
from predictors.lambdarank import LambdaRank
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings, finished, loss
from tests.predictors.records import SPACE, sampled, trials


def predicted(predictor: LambdaRank, record: list[Trial], metric: str = "ne") -> list[float]:
    predictor.fit(record, metric, rng=np.random.default_rng(0))
    mean: list[float] = predictor.predict([Suggestion(one) for one in sampled(50, seed=1)]).mean.tolist()
    return mean


def test_thirty_records_are_enough_for_the_default_but_not_for_the_published_settings() -> None:
    assert len(set(predicted(LambdaRank(SPACE), trials(30)))) > 10
    assert len(set(predicted(LambdaRank(SPACE, faithful=True), trials(30)))) == 1


@pytest.mark.parametrize("count", [20, 40, 49])
def test_the_published_guidance_is_constant_where_the_release_was(count: int) -> None:
    assert len(set(predicted(LambdaRank(SPACE, faithful=True), trials(count)))) == 1


def test_the_published_settings_learn_from_a_long_record() -> None:
    scores = predicted(LambdaRank(SPACE, faithful=True), trials(200))
    assert rank_correlation(scores, [loss(one) for one in sampled(50, seed=1)]) > 0.5


def test_more_records_than_lightgbm_has_gains_for_are_ranked() -> None:
    scores = predicted(LambdaRank(SPACE), trials(100))
    assert rank_correlation(scores, [loss(one) for one in sampled(50, seed=1)]) > 0.5


def test_a_metric_that_is_to_grow_gives_the_order_of_its_mirror_image() -> None:
    assert predicted(LambdaRank(SPACE), trials(60), "auc") == predicted(LambdaRank(SPACE), trials(60), "ne")


def test_repeated_candidates_count_once_at_their_mean_rank() -> None:
    record = trials(30)
    assert predicted(LambdaRank(SPACE), record * 2) == predicted(LambdaRank(SPACE), record)


def test_losses_of_different_rungs_are_never_compared() -> None:
    record = trials(60)
    shifted = [
        finished(
            trial.number,
            Suggestion(trial.candidate, Fidelity(rung=trial.number % 2)),
            Evaluation({"ne": Metric(loss(trial.candidate) + 100 * (trial.number % 2))}),
        )
        for trial in record
    ]
    scores = predicted(LambdaRank(SPACE), shifted)
    assert rank_correlation(scores, [loss(one) for one in sampled(50, seed=1)]) > 0.4


def test_fitting_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    for faithful in (False, True):
        for count in (5, 30, 100):
            predicted(LambdaRank(SPACE, faithful=faithful), trials(count))
    assert capfd.readouterr() == ("", "")


def test_each_candidate_is_encoded_once() -> None:
    class Counting(Bitstrings):
        calls = 0

        def encode(self, candidate: Candidate) -> np.typing.NDArray[np.float64]:
            self.calls += 1
            return super().encode(candidate)

    space, record = Counting(), trials(12)
    predictor = LambdaRank(space)
    for length in range(4, 13):
        predictor.fit(record[:length], "ne", rng=np.random.default_rng(0))
    assert space.calls == 12


def test_a_metric_of_unknown_direction_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="'joy' is no known metric"):
        LambdaRank(SPACE).fit(trials(5), "joy", rng=np.random.default_rng(0))


@pytest.mark.parametrize("option", ["min_data_in_leaf", "rounds", "threads"])
def test_options_below_one_are_refused(option: str) -> None:
    with pytest.raises(PredictorError, match=f"{option} must be at least 1, but is 0"):
        LambdaRank(SPACE, **{option: 0})  # type: ignore[arg-type]  # one option at a time
