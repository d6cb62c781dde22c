"""What every predictor promises, asked of each file in the room."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, ObjectiveError, Suggestion, Trial
from predictors import Predictor, PredictorError, rank_correlation
from searchspaces import Candidate, FeatureSchema, Field, Kind, load_plugin, plugin_names
from tests.automl._bitstrings import Bitstrings, finished, loss

SPACE = Bitstrings()
OPTIONS: dict[str, dict[str, Any]] = {
    "auto": {"members": ("forest", "lambdarank")},
    "forest": {"trees": 50},
    "pairwise_mlp": {"steps": 100},
    "wl_gp": {"schema": FeatureSchema((Field("any", Kind.NUMERIC),))},
}
"""Cheaper than the defaults, or with what a study injects: what is promised holds for all of them."""

pytestmark = pytest.mark.parametrize("name", plugin_names("predictors"))


def build(name: str) -> Predictor:
    predictor: Predictor = load_plugin("predictors", name)(SPACE, **OPTIONS.get(name, {}))
    return predictor


def sampled(count: int, seed: int) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def trials(count: int) -> list[Trial]:
    return [finished(number, Suggestion(candidate)) for number, candidate in enumerate(sampled(count, seed=0))]


def agreement(name: str, record: list[Trial], metric: str = "ne") -> float:
    """Rank correlation of predicted and true losses of candidates that the record does not have."""
    mean = build(name).fit(record, metric, rng=np.random.default_rng(0)).predict(HELD_OUT).mean
    return rank_correlation(mean, [loss(one.candidate) for one in HELD_OUT])


def worth(value: float) -> Evaluation:
    return Evaluation({"ne": Metric(value)})


HELD_OUT = [Suggestion(candidate) for candidate in sampled(100, seed=1)]


def test_it_must_be_fitted_before_it_predicts(name: str) -> None:
    with pytest.raises(PredictorError, match="must be fitted before it predicts; call fit first"):
        build(name).predict(HELD_OUT)


def test_fit_returns_the_predictor_itself(name: str) -> None:
    predictor = build(name)
    assert predictor.fit(trials(10), "ne", rng=np.random.default_rng(0)) is predictor


def test_it_says_something_after_thirty_records(name: str) -> None:
    mean = build(name).fit(trials(30), "ne", rng=np.random.default_rng(0)).predict(HELD_OUT).mean
    assert len(np.unique(mean)) > 1


def test_held_out_candidates_are_put_in_about_the_right_order(name: str) -> None:
    assert agreement(name, trials(60)) > 0.3


def test_a_metric_that_is_to_grow_gives_the_order_of_its_mirror_image(name: str) -> None:
    assert agreement(name, trials(40), "auc") == pytest.approx(agreement(name, trials(40)))


def test_a_metric_of_unknown_direction_is_refused(name: str) -> None:
    with pytest.raises(ObjectiveError, match="'joy' is no known metric"):
        build(name).fit(trials(5), "joy", rng=np.random.default_rng(0))


def test_what_is_predicted_does_not_depend_on_what_else_is_asked(name: str) -> None:
    predictor = build(name).fit(trials(40), "ne", rng=np.random.default_rng(0))
    together, alone = predictor.predict(HELD_OUT), predictor.predict(HELD_OUT[3:4])
    np.testing.assert_allclose(alone.mean, together.mean[3:4], rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(alone.std, together.std[3:4], rtol=1e-3, atol=1e-5)


def test_replicates_that_disagree_leave_their_mean(name: str) -> None:
    record = [
        finished(number, Suggestion(one, replicate=number % 2), worth(loss(one) + (0.05 if number % 2 else -0.05)))
        for number, one in enumerate(candidate for candidate in sampled(60, seed=0) for _ in range(2))
    ]
    assert agreement(name, record) > 0.3


def test_losses_of_different_rungs_are_never_compared(name: str) -> None:
    record = [
        finished(number, Suggestion(one, Fidelity(rung=-(number % 2))), worth(loss(one) + 100 * (number % 2)))
        for number, one in enumerate(candidate for candidate in sampled(60, seed=0) for _ in range(2))
    ]
    assert agreement(name, record) > 0.3


def test_one_absurd_loss_does_not_drown_the_others(name: str) -> None:
    record = [*trials(60), finished(60, Suggestion(sampled(1, seed=2)[0]), worth(3.5e6))]
    assert agreement(name, record) > 0.3


def test_equal_trials_and_generators_give_equal_predictions(name: str) -> None:
    first, second = (
        build(name).fit(trials(40), "ne", rng=np.random.default_rng(7)).predict(HELD_OUT) for _ in range(2)
    )
    np.testing.assert_array_equal(first.mean, second.mean)
    np.testing.assert_array_equal(first.std, second.std)


def test_predicting_changes_nothing(name: str) -> None:
    predictor = build(name).fit(trials(40), "ne", rng=np.random.default_rng(7))
    first = predictor.predict(HELD_OUT).mean
    np.testing.assert_array_equal(predictor.predict(HELD_OUT).mean, first)


def test_what_was_fitted_before_does_not_matter(name: str) -> None:
    used = build(name).fit(trials(60), "ne", rng=np.random.default_rng(1))
    refitted = used.fit(trials(40), "ne", rng=np.random.default_rng(7)).predict(HELD_OUT).mean
    fresh = build(name).fit(trials(40), "ne", rng=np.random.default_rng(7)).predict(HELD_OUT).mean
    np.testing.assert_array_equal(refitted, fresh)


@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_a_handful_of_trials_gives_finite_predictions(name: str, count: int) -> None:
    prediction = build(name).fit(trials(count), "ne", rng=np.random.default_rng(0)).predict(HELD_OUT)
    assert prediction.mean.shape == prediction.std.shape == (len(HELD_OUT),)
    assert np.isfinite(prediction.mean).all()
    assert (prediction.std >= 0).all()


def test_what_fails_is_predicted_worse_than_what_does_not(name: str) -> None:
    # Every candidate whose first bit is set fails, although the bit is worth having.
    failure = Failure(FailureKind.DIVERGED, "the loss is not finite")
    record = [
        finished(number, Suggestion(candidate), failure if candidate.training["bit00"] else None)
        for number, candidate in enumerate(sampled(80, seed=0))
    ]
    mean = build(name).fit(record, "ne", rng=np.random.default_rng(0)).predict(HELD_OUT).mean
    fails = np.array([bool(one.candidate.training["bit00"]) for one in HELD_OUT])
    assert mean[fails].mean() > mean[~fails].mean()


def test_a_record_of_failures_alone_teaches_nothing(name: str) -> None:
    failure = Failure(FailureKind.CRASHED, "it fell")
    record = [finished(number, Suggestion(candidate), failure) for number, candidate in enumerate(sampled(20, seed=0))]
    mean = build(name).fit(record, "ne", rng=np.random.default_rng(0)).predict(HELD_OUT).mean
    assert np.isfinite(mean).all()


def test_no_suggestions_have_no_predictions(name: str) -> None:
    assert build(name).fit(trials(20), "ne", rng=np.random.default_rng(0)).predict([]).mean.shape == (0,)
