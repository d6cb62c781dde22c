"""Bounds that are known before anything is trained, and ranks that put what breaks one last."""

from __future__ import annotations

import numpy as np
import pytest

from automl.proposals import KnownBounds, closed_form_costs, ranks_within_bounds
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from predictors import loss_ranks
from searchspaces import Candidate
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished
from tests.searchspaces.graphs import schema

SCHEMA = schema()
SPACE = AutoCTR(SCHEMA, blocks=3)
NE = Objective("ne")


def flops(candidate: Candidate) -> float:
    return float(closed_form_costs(candidate, SCHEMA, ["flops"])[0])


def sampled(count: int) -> list[Candidate]:
    rng = np.random.default_rng(0)
    return [SPACE.sample(rng) for _ in range(count)]


def bounds(bound: float) -> KnownBounds:
    return KnownBounds([NE, Objective("flops", bound=bound)], SCHEMA)


def trial(number: int, ne: float, flops: float) -> Trial:
    return finished(number, Suggestion(Candidate()), Evaluation({"ne": Metric(ne), "flops": Metric(flops)}))


def test_what_breaks_a_bound_is_known_with_how_far() -> None:
    median = float(np.median([flops(one) for one in sampled(20)]))
    known = bounds(median)
    for one in sampled(20):
        assert known.excess(one) == pytest.approx(max(0.0, flops(one) / median - 1.0))
        assert known.keeps(one) is (flops(one) <= median)


@pytest.mark.parametrize(
    ("objectives", "has_schema"), [([NE, Objective("flops")], True), ([NE, Objective("flops", bound=1.0)], False)]
)
def test_without_a_bound_or_a_formula_everything_is_kept(objectives: list[Objective], has_schema: bool) -> None:
    known = KnownBounds(objectives, SCHEMA if has_schema else None)
    assert all(known.keeps(one) for one in sampled(5))


def test_what_has_no_architecture_is_kept() -> None:
    assert bounds(1.0).keeps(Bitstrings().sample(np.random.default_rng(0)))


def test_a_formula_that_measurements_contradict_bounds_nothing() -> None:
    known, [one] = bounds(1.0), sampled(1)
    assert not known.keeps(one)
    known.learn([finished(0, Suggestion(one), Evaluation({"ne": Metric(0.8), "flops": Metric(2 * flops(one))}))])
    assert known.keeps(one)


def test_chance_draws_what_keeps_the_bounds_and_else_what_is_nearest() -> None:
    values = [flops(one) for one in sampled(300)]
    rng = np.random.default_rng(1)
    kept, bound = [], float(np.quantile(values, 0.1))
    for _ in range(20):
        found = bounds(bound).random_suggestion(SPACE, set(), rng)
        assert found is not None
        kept.append(flops(found.candidate))
    assert max(kept) <= bound
    nearest = bounds(1.0).random_suggestion(SPACE, set(), rng)
    assert nearest is not None
    assert flops(nearest.candidate) <= bound


def test_an_exhausted_space_has_nothing_left() -> None:
    space = Bitstrings(2)
    taken = {Suggestion(space.to_candidate({"bit00": one, "bit01": two})).identity for one in (0, 1) for two in (0, 1)}
    assert bounds(1.0).random_suggestion(space, taken, np.random.default_rng(0)) is None


def test_trials_that_break_a_bound_rank_behind_all_that_keep_it_by_how_far_they_do() -> None:
    failed = finished(5, Suggestion(Candidate()), Failure(FailureKind.CRASHED, "died"))
    trials = [
        trial(0, 0.5, 9.0),
        trial(1, 0.9, 1.0),
        trial(2, 0.6, 7.0),
        trial(3, 0.8, 2.0),
        trial(4, 0.9, 1.0),
        failed,
    ]
    ranks = ranks_within_bounds(trials, NE, [Objective("flops", bound=5.0)])
    assert ranks.tolist() == [5.0, 2.5, 4.0, 1.0, 2.5, 6.0]


def test_without_bounds_ranks_are_those_of_losses() -> None:
    trials = [trial(0, 0.5, 9.0), trial(1, 0.9, 1.0), trial(2, 0.5, 7.0)]
    assert ranks_within_bounds(trials, NE, [Objective("flops")]).tolist() == loss_ranks(trials, NE).tolist()
    assert len(ranks_within_bounds([], NE, [Objective("flops", bound=1.0)])) == 0
