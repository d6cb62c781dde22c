from __future__ import annotations

import numpy as np
import pytest

from automl import plugins
from automl.proposals import Policy
from searchspaces import Condition, OperatorChoice, OptionChoice, SearchSpace, WidthChoice
from tests.searchspaces.graphs import schema

OPERATOR = OperatorChoice("operator", ("mlp", "fm"))
WIDTH = WidthChoice("width", (32, 64, 128), Condition("operator", ("mlp",)))
NORM = OptionChoice("norm", (False, True), Condition("width", (64, 128)))
DECISIONS = (OPERATOR, WIDTH, NORM)
EVERY_ROW = np.array([[0, 0, -1], [0, 1, 0], [0, 1, 1], [0, 2, 0], [0, 2, 1], [1, -1, -1]])


def skewed() -> Policy:
    return Policy.uniform(DECISIONS).moved(np.random.default_rng(0).standard_normal(7))


def finite_differences(policy: Policy, value: object) -> list[float]:
    assert callable(value)
    step = 1e-6
    return [
        (value(policy.moved(step * one)) - value(policy.moved(-step * one))) / (2 * step)
        for one in np.eye(len(policy.logits))
    ]


def test_probabilities_add_up_to_one_over_the_choices_of_each_decision() -> None:
    shares = skewed().probabilities
    assert [shares[:2].sum(), shares[2:5].sum(), shares[5:].sum()] == pytest.approx([1, 1, 1])


def test_probabilities_of_all_assignments_add_up_to_one() -> None:
    assert np.exp(skewed().log_likelihood(EVERY_ROW)).sum() == pytest.approx(1)


def test_rows_are_drawn_as_often_as_they_are_likely() -> None:
    policy = skewed()
    rows, counts = np.unique(policy.sample(20_000, np.random.default_rng(1)), axis=0, return_counts=True)
    likely = np.exp(policy.log_likelihood(rows))
    assert len(rows) == len(EVERY_ROW)
    assert np.abs(counts / 20_000 - likely).max() < 4 * np.sqrt(0.25 / 20_000)


def test_a_decision_is_made_only_where_it_counts() -> None:
    policy = skewed()
    for row in policy.sample(50, np.random.default_rng(2)):
        assignment = policy.assignment(row)
        assert {one.slot for one in DECISIONS if one.counts(assignment)} == assignment.keys()


def test_the_gradient_of_likelihood_is_that_of_finite_differences() -> None:
    policy, weights = skewed(), np.array([0.3, -1.0, 0.5, 2.0, -0.2, 0.7])
    expected = finite_differences(policy, lambda one: float(weights @ one.log_likelihood(EVERY_ROW)))
    assert policy.likelihood_gradient(EVERY_ROW, weights) == pytest.approx(expected, abs=1e-7)


def test_a_decision_that_does_not_count_gets_no_gradient() -> None:
    rows = np.array([[1, -1, -1], [0, 0, -1]])
    policy = skewed()
    assert policy.likelihood_gradient(rows[:1], np.ones(1))[2:].tolist() == [0] * 5
    assert policy.entropy_gradient(rows)[5:].tolist() == [0, 0]
    assert policy.likelihood_gradient(rows, np.ones(2))[:5].all()


def test_the_gradient_of_entropy_is_that_of_finite_differences() -> None:
    policy = skewed()
    shares = np.array([1, 5 / 6, 4 / 6])
    expected = finite_differences(policy, lambda one: float(shares @ one.entropies()))
    assert policy.entropy_gradient(EVERY_ROW) == pytest.approx(expected, abs=1e-7)


def test_entropy_is_that_of_a_coin_and_a_die_and_a_certainty() -> None:
    certain = Policy.uniform(DECISIONS).moved(np.array([0.0, 0, 0, 0, 0, 800, 0]))
    assert certain.entropies() == pytest.approx([np.log(2), np.log(3), 0])


@pytest.mark.parametrize("name", ["autoctr", "dhen", "nasrec", "rankitect_scratch", "wukong"])
def test_what_it_draws_is_a_point_of_the_space(name: str) -> None:
    space: SearchSpace = plugins.load("space", name)(schema())
    policy = Policy.uniform(space.decisions())
    for row in policy.sample(2, np.random.default_rng(3)):
        space.validate(space.to_candidate(policy.assignment(row)))
