"""Worlds repeat themselves, show what they planted, and know what a limited model can say."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.special import expit

from automl.bench.learning.planting import planted
from automl.bench.learning.values import Crossed, Effects, Popular, Steps
from automl.bench.learning.worlds import Routed, Signs, World, ids_of, patterns

MADE: dict[str, Callable[[int], World]] = {
    "signs": lambda seed: Signs({(0,): 0.4, (0, 1): 0.4, (0, 1, 2): 0.9}, width=5, vocabulary=6, seed=seed),
    "routed": lambda seed: Routed(3, 2.0, vocabulary=4, seed=seed),
    "effects": lambda seed: Effects(40, 1.2, rows=10, seed=seed),
    "popular": lambda seed: Popular(5, 200, 2.0, seed=seed),
    "steps": lambda seed: Steps(7, 2.0, seed=seed),
    "crossed": lambda seed: Crossed(4, 20, 1.2, seed=seed),
}
ROWS = 20_000


@pytest.mark.parametrize("name", MADE)
def test_a_seed_repeats_its_rows_and_another_does_not(name: str) -> None:
    one, again, other = (planted(MADE[name](1), train=200, measured=100, seed=seed) for seed in (1, 1, 2))
    for part in ("train", "valid"):
        first, second, third = (getattr(data.data, part)._part for data in (one, again, other))
        for column in ("label", "numeric", "categorical"):
            assert np.array_equal(getattr(first, column), getattr(second, column))
        assert not np.array_equal(first.label, third.label)


@pytest.mark.parametrize("name", MADE)
def test_weights_sum_to_one_and_every_bound_lies_between_truth_and_base_rate(name: str) -> None:
    world = MADE[name](1)
    truth = world.truth
    assert truth.weights.sum() == pytest.approx(1.0)
    for bound in world.bounds().values():
        assert truth.ne(truth.log_odds) + 0.02 < truth.ne(bound) <= 1.0 + 1e-9


@pytest.mark.parametrize("name", MADE)
def test_rows_of_a_state_click_as_often_as_it_says(name: str) -> None:
    world = MADE[name](1)
    rows = planted(world, train=10, measured=ROWS, seed=1)
    clicks = np.bincount(rows.states, weights=rows.data.valid.labels, minlength=len(world.truth.weights))
    counts = np.bincount(rows.states, minlength=len(world.truth.weights))
    p = expit(world.truth.log_odds)
    deviations = (clicks - counts * p) / np.sqrt(np.maximum(counts * p * (1 - p), 1e-9))
    assert np.abs(deviations).max() < 4.5


@pytest.mark.parametrize("name", MADE)
def test_ids_fit_the_vocabulary_of_their_field(name: str) -> None:
    rows = planted(MADE[name](1), train=500, measured=500, seed=1)
    schema, part = rows.data.schema, rows.data.train._part
    assert part.categorical.shape[1] == len(schema.categorical)
    assert part.numeric.shape[1] == len(schema.numeric)
    for column, field in zip(part.categorical.T, schema.categorical, strict=True):
        assert column.min() >= 1
        assert column.max() < field.vocabulary_size


def test_what_a_row_shows_tells_its_state_to_who_knows_what_is_hidden() -> None:
    world = Signs({(0, 1): 1.0}, width=2, vocabulary=6, seed=4)
    shown = world.show(np.repeat(np.arange(4), 500), np.random.default_rng(0)).categorical
    by_sign = [
        {int(one) for one in shown[np.repeat(patterns(2)[:, field] > 0, 500) == is_plus, field]}
        for field in range(2)
        for is_plus in (False, True)
    ]
    for minus, plus in zip(by_sign[::2], by_sign[1::2], strict=True):
        assert minus.isdisjoint(plus)
        assert minus | plus == set(range(1, 7))


def test_a_product_of_signs_is_nothing_to_a_model_of_lower_order() -> None:
    world = Signs({(0, 1, 2): 1.5}, width=3, base=0.0)
    for bound in world.bounds().values():
        assert bound == pytest.approx(np.zeros(8), abs=1e-6)


def test_without_a_product_of_three_the_best_of_order_two_is_the_truth() -> None:
    world = Signs({(0,): 0.4, (0, 1): 0.8}, width=3)
    three = Signs({(0,): 0.4, (0, 1): 0.8, (0, 1, 2): 1e-12}, width=3)
    assert world.truth.ne(world.truth.log_odds) == pytest.approx(three.truth.ne(three.bounds()["best of order 2"]))


def test_a_route_leaves_a_quarter_of_its_effect_to_each_of_four_fields() -> None:
    effects = [Routed(4, 0.01, base=0.0).bounds()["best of order 1"] @ patterns_of(field) for field in range(4)]
    assert effects == pytest.approx([0.01 / 4] * 4, rel=1e-3)


def patterns_of(field: int) -> NDArray[np.float64]:
    column = np.tile(patterns(4)[:, field], 4)
    share: NDArray[np.float64] = column / len(column)
    return share


def test_a_line_says_nothing_of_steps_that_are_symmetric() -> None:
    world = Steps(2, 2.0, values=63)
    assert world.truth.ne(world.bounds()["best straight line"]) > 0.95


def test_half_of_the_ids_have_either_sign() -> None:
    rng = np.random.default_rng(0)
    signs = rng.choice([-1.0, 1.0], size=(2000, 1))
    ids = ids_of(signs, 8, hidden=1, rng=rng)[:, 0]
    assert len(set(ids[signs[:, 0] > 0])) == len(set(ids[signs[:, 0] < 0])) == 4


def test_an_id_that_training_does_not_have_is_out_of_vocabulary() -> None:
    rows = planted(Popular(2, 5000, 2.0), train=50, measured=500, seed=1)
    seen = set(rows.data.train._part.categorical[:, 0].tolist())
    measured = set(rows.data.valid._part.categorical[:, 0].tolist())
    assert measured <= seen | {0}
    assert 0 in measured


def test_statistics_are_of_the_training_rows() -> None:
    rows = planted(Popular(2, 50, 2.0), train=300, measured=100, seed=1)
    statistics = rows.data.schema.statistics
    assert statistics is not None
    counts = statistics.counts("c0")
    assert counts.sum() == 300
    assert counts[0] == 0
    assert len(counts) == 53
    number = planted(Steps(7, 2.0), train=3000, measured=100, seed=1)
    assert number.data.schema.statistics is not None
    assert (np.diff(number.data.schema.statistics.edges("n0")) >= 0).all()
