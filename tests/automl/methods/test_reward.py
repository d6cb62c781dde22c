"""Rewards: against hand-made numbers, and how much sooner they tell two arms apart than raw losses do."""

from __future__ import annotations

from itertools import count

import numpy as np
import pytest

from automl.methods._reward import Price, TimedPrice, rewards
from searchspaces import zoo
from searchspaces.cost import cost
from tests.evaluators.small_data import SCHEMA

GAP = 0.01
NOISE = 10 * GAP
SEEDS = 60


def batches_to_order(*, is_in_place: bool, rng: np.random.Generator) -> int:
    """Batches after which the better of two arms has the better mean for good; each batch shows one arm alone.

    A batch is hard or easy by `NOISE`, for an arm and for the baseline alike; beside that each has noise of its own.
    """
    size = 4000
    arms = rng.integers(2, size=size)
    hardness = NOISE * rng.standard_normal(size)
    own = GAP * rng.standard_normal((2, size))
    losses = 0.6 + GAP * arms + hardness + own[0]
    beside = 0.6 + hardness + own[1] if is_in_place else np.full(size, 0.6)
    found = np.array([rewards([loss], other, [0.0])[0] for loss, other in zip(losses, beside, strict=True)])
    is_first = arms == 0
    with np.errstate(invalid="ignore"):
        means = [np.cumsum(found * own_arm) / np.cumsum(own_arm) for own_arm in (is_first, ~is_first)]
        wrong = np.flatnonzero(~(means[0] > means[1]))
    return int(wrong[-1]) + 1 if len(wrong) else 0


def test_a_baseline_in_place_tells_two_arms_apart_in_far_fewer_batches() -> None:
    medians = {}
    for is_in_place in (True, False):
        rngs = (np.random.default_rng(seed) for seed in range(SEEDS))
        counts = [batches_to_order(is_in_place=is_in_place, rng=rng) for rng in rngs]
        medians[is_in_place] = float(np.median(counts))
    assert medians[True] < 30
    assert medians[False] > 10 * medians[True]


def test_a_reward_is_the_share_of_the_baselines_loss_that_is_gained_less_the_price() -> None:
    assert rewards([0.45, 0.55], 0.5, [0.0, 0.02]).tolist() == pytest.approx([0.1, -0.12])


def test_cost_beyond_the_budget_has_a_price_and_cost_below_it_none() -> None:
    candidate = zoo("deepfm", SCHEMA)
    assert candidate.architecture is not None
    flops = cost(candidate.architecture, SCHEMA).flops
    assert Price(SCHEMA, "flops", flops / 1.5, 0.1).of(candidate) == pytest.approx(0.05)
    assert Price(SCHEMA, "flops", 2.0 * flops, 0.1).of(candidate) == 0.0
    assert Price(SCHEMA, "flops", flops / 1.5, 0.0).of(candidate) == 0.0


def test_time_beyond_what_is_free_has_a_price_and_each_candidate_is_timed_once() -> None:
    candidate, clock = zoo("deepfm", SCHEMA), count(3)
    price = TimedPrice(lambda _: float(next(clock)), 2.0, 0.1, {})
    assert price.of(candidate) == price.of(candidate) == pytest.approx(0.05)
    assert TimedPrice(lambda _: 1.9, 2.0, 0.1, {}).of(candidate) == 0.0
    assert price.times == {candidate.fingerprint: 3.0}
