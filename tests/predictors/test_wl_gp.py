"""What the graph-kernel process promises beyond the contract of its room."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, Suggestion, Trial, TrialState
from evaluators.planted import Planted
from predictors import rank_correlation
from predictors._wl_observations import Distance
from predictors._wl_views import Views
from predictors.lambdarank import LambdaRank
from predictors.wl_gp import WLGP
from searchspaces import Candidate, FeatureSchema, Field, Kind, zoo
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished, loss
from tests.searchspaces.graphs import with_a_dead_block

SCHEMA = FeatureSchema(
    (*(Field(f"n{at}", Kind.NUMERIC) for at in range(3)), *(Field(f"c{at}", Kind.CATEGORICAL, 50) for at in range(4)))
)
SPACE = AutoCTR(SCHEMA, blocks=4)
BITS = Bitstrings(12)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def trial(
    number: int, candidate: Candidate, ne: float | None, *, stderr: float | None = None, rung: int = 0, again: int = 0
) -> Trial:
    suggestion = Suggestion(candidate, Fidelity(rung), replicate=again)
    if ne is None:
        failure = Failure(FailureKind.DIVERGED, "the loss is not finite")
        return Trial(number, "search", suggestion, TrialState.FAIL, failure=failure)
    return Trial(number, "search", suggestion, TrialState.COMPLETE, Evaluation({"ne": Metric(ne, stderr)}))


def bits(count: int, seed: int = 0) -> list[Candidate]:
    generator = rng(seed)
    found = {one.fingerprint: one for one in (BITS.sample(generator) for _ in range(4 * count))}
    return list(found.values())[:count]


def record(candidates: list[Candidate], *, scale: float = 1.0, shift: float = 0.0) -> list[Trial]:
    return [trial(number, one, shift + scale * loss(one)) for number, one in enumerate(candidates)]


def planted_trials(space: AutoCTR, count: int) -> list[Trial]:
    generator = rng(2)
    suggestions = [Suggestion(space.sample(generator)) for _ in range(count)]
    outcomes = dict(Planted(space, 0).evaluate(suggestions))
    return [finished(at, one, outcomes[at]) for at, one in enumerate(suggestions)]


HELD_OUT = [Suggestion(one) for one in bits(60, seed=9)]
TRUE = np.array([loss(one.candidate) for one in HELD_OUT])
GOOD = np.median(TRUE) > TRUE  # above the median losses are compressed


def test_means_are_in_the_unit_of_the_metric() -> None:
    prediction = WLGP(BITS).fit(record(bits(60)), "ne", rng=rng()).predict(HELD_OUT)
    assert np.abs(prediction.mean - TRUE)[GOOD].mean() < 0.3 * TRUE.std()


def test_another_unit_gives_the_same_predictions_in_it() -> None:
    plain = WLGP(BITS).fit(record(bits(40)), "ne", rng=rng()).predict(HELD_OUT)
    other = WLGP(BITS).fit(record(bits(40), scale=1e-3, shift=5.0), "ne", rng=rng()).predict(HELD_OUT)
    np.testing.assert_allclose(other.mean, 5.0 + 1e-3 * plain.mean, rtol=1e-6)
    np.testing.assert_allclose(other.std, 1e-3 * plain.std, rtol=1e-2)


def test_deviations_are_as_large_as_errors() -> None:
    generator = rng(5)
    trials = [trial(at, one, loss(one) + 0.02 * generator.standard_normal()) for at, one in enumerate(bits(80))]
    prediction = WLGP(BITS).fit(trials, "ne", rng=rng()).predict(HELD_OUT)
    errors = ((prediction.mean - TRUE) / prediction.std)[GOOD]
    assert 0.5 < np.sqrt(np.mean(np.square(errors))) < 2.0


def test_far_candidates_are_less_certain_than_measured_ones() -> None:
    model = WLGP(BITS).fit(record(bits(40)), "ne", rng=rng())
    measured = model.predict([Suggestion(one) for one in bits(40)]).std
    assert measured.mean() < 0.7 * model.predict(HELD_OUT).std.mean()


def test_a_diverged_loss_does_not_hide_the_order_of_the_others() -> None:
    trials = record(bits(60))
    diverged = [trial(100 + at, one, 3.5e6) for at, one in enumerate(bits(4, seed=77))]
    mean = WLGP(BITS).fit([*trials, *diverged], "ne", rng=rng()).predict(HELD_OUT).mean
    assert rank_correlation(mean, TRUE) > 0.5


def test_replicates_count_as_one_more_precise_observation() -> None:
    candidate, others = bits(1, seed=3)[0], record(bits(30))
    once = WLGP(BITS).fit([*others, trial(90, candidate, 0.9, stderr=0.1)], "ne", rng=rng())
    many = [trial(90 + at, candidate, 0.9, stderr=0.1, again=at) for at in range(5)]
    often = WLGP(BITS).fit([*others, *many], "ne", rng=rng())
    asked = [Suggestion(candidate)]
    assert often.predict(asked).std[0] < once.predict(asked).std[0]


def test_an_observation_counts_less_the_larger_its_error() -> None:
    candidate = bits(1, seed=3)[0]
    others = [trial(at, one, loss(one), stderr=0.05) for at, one in enumerate(bits(30)) if one != candidate]
    far = loss(candidate) - 0.3
    sure, unsure = (
        WLGP(BITS, trees=False)
        .fit([*others, trial(99, candidate, far, stderr=stderr)], "ne", rng=rng())
        .predict([Suggestion(candidate)])
        .mean[0]
        for stderr in (0.02, 0.15)
    )
    assert sure < unsure


def test_a_cheap_rung_that_agrees_helps_and_one_that_does_not_does_no_harm() -> None:
    full, cheap = bits(12), bits(80, seed=4)
    base = record(full)
    agrees = [trial(100 + at, one, 2.0 + loss(one), rung=-1) for at, one in enumerate([*full, *cheap])]
    generator = rng(3)
    blind = [trial(100 + at, one, 2.0 + generator.normal(), rung=-1) for at, one in enumerate([*full, *cheap])]
    alone, helped, misled = (
        rank_correlation(WLGP(BITS).fit(trials, "ne", rng=rng()).predict(HELD_OUT).mean, TRUE)
        for trials in (base, [*base, *agrees], [*base, *blind])
    )
    assert helped > alone + 0.1
    assert misled > alone - 0.15


def test_predictions_at_a_rung_are_on_the_level_of_that_rung() -> None:
    trials = [*record(bits(30)), *(trial(50 + at, one, 2.0 + loss(one), rung=-1) for at, one in enumerate(bits(30)))]
    model = WLGP(BITS).fit(trials, "ne", rng=rng())
    cheap = model.predict([Suggestion(one.candidate, Fidelity(-1)) for one in HELD_OUT]).mean
    assert abs(cheap.mean() - model.predict(HELD_OUT).mean.mean() - 2.0) < 0.1


def test_what_fails_nearby_is_predicted_worse() -> None:
    candidates = bits(60)
    fails = [bool(one.training["bit01"]) for one in candidates]
    trials = [
        trial(at, one, None if bad else loss(one)) for at, (one, bad) in enumerate(zip(candidates, fails, strict=True))
    ]
    mean = WLGP(BITS).fit(trials, "ne", rng=rng()).predict(HELD_OUT).mean
    bad = np.array([bool(one.candidate.training["bit01"]) for one in HELD_OUT])
    assert mean[bad].min() > np.median(mean[~bad])


def test_a_maximised_metric_is_turned_into_a_loss() -> None:
    trials = [
        Trial(at, "search", Suggestion(one), TrialState.COMPLETE, Evaluation({"auc": Metric(1.0 - loss(one))}))
        for at, one in enumerate(bits(60))
    ]
    assert rank_correlation(WLGP(BITS).fit(trials, "auc", rng=rng()).predict(HELD_OUT).mean, TRUE) > 0.5


def test_a_human_made_architecture_outside_the_space_informs_and_is_told() -> None:
    trials = planted_trials(SPACE, 20)
    human = zoo("dcnv2", SCHEMA)
    model = WLGP(SPACE, SCHEMA).fit([*trials, trial(50, human, 0.5)], "ne", rng=rng())
    told = model.predict([Suggestion(human), Suggestion(zoo("deepfm", SCHEMA))]).mean
    assert np.isfinite(told).all()
    assert told[0] < min(float(one.value("ne") or 1.0) for one in trials)


def test_without_the_graph_only_code_and_costs_are_seen() -> None:
    view = Views(SPACE, SCHEMA, graph=False).of([SPACE.sample(rng())], keep=False)[0]
    assert (view.labels, view.counts) == ({}, {})
    assert view.code is not None
    assert set(view.costs) == {"flops", "params", "bytes"}


def test_a_graph_as_it_is_written_shows_its_dead_blocks() -> None:
    graph = SPACE.sample(rng()).architecture
    assert graph is not None
    dead = Candidate(with_a_dead_block(graph))
    live, written = (Views(SPACE, SCHEMA, live=one).of([dead], keep=False)[0] for one in (True, False))
    assert written.counts["nodes"] == live.counts["nodes"] + 1
    assert sum(written.labels["fine 0"].values()) == sum(live.labels["fine 0"].values()) + 1


@pytest.mark.parametrize("option", ["graph", "live"])
def test_a_model_without_a_part_says_something_else(option: str) -> None:
    trials = planted_trials(SPACE, 12)
    graph = SPACE.sample(rng(5)).architecture
    assert graph is not None
    asked = Suggestion(Candidate(with_a_dead_block(graph)))
    whole, without = (
        WLGP(SPACE, SCHEMA, **options).fit(trials, "ne", rng=rng()).predict([asked]).mean[0]
        for options in ({}, {option: False})
    )
    assert np.isfinite(without)
    assert without != whole


@pytest.mark.slow
def test_on_graphs_it_orders_held_out_candidates_better_than_lambdarank() -> None:
    trials = planted_trials(AutoCTR(SCHEMA), 180)
    asked = [one.suggestion for one in trials[60:]]
    true = [float(one.value("ne") or 1.0) for one in trials[60:]]
    ours, theirs = (
        rank_correlation(model.fit(trials[:60], "ne", rng=rng()).predict(asked).mean, true)
        for model in (WLGP(AutoCTR(SCHEMA), SCHEMA), LambdaRank(AutoCTR(SCHEMA)))
    )
    assert ours > theirs + 0.05


def test_distances_from_the_best_invert_up_to_their_bound() -> None:
    losses = np.array([0.80, 0.81, 0.83, 0.86, 0.9, 7.0])
    distance = Distance.of(losses)
    found, slopes = distance.losses(distance.moved(losses))
    np.testing.assert_allclose(found[:5], losses[:5], rtol=1e-12)
    assert 0.9 < found[5] < 7.0
    assert (np.diff(slopes) > 0.0).all()  # a deviation is worth more, the farther from the best


def test_losses_that_do_not_differ_are_at_no_distance() -> None:
    assert np.ptp(Distance.of(np.full(5, 0.8)).moved(np.full(5, 0.8))) == 0.0
