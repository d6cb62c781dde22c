from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from automl.proposals import Policy, Schedule, policy_gradient, reinforce
from automl.proposals._reinforce import Adam
from searchspaces import Condition, OperatorChoice, OptionChoice, WidthChoice

Vector = NDArray[np.float64]
BITS = tuple(OptionChoice(f"bit{at}", (0, 1)) for at in range(12))
NESTED = (
    OperatorChoice("operator", ("mlp", "fm")),
    WidthChoice("width", (32, 64, 128), Condition("operator", ("mlp",))),
)
EVERY_ROW = np.array([[0, 0], [0, 1], [0, 2], [1, -1]])
REWARDS = np.array([1.0, 3.0, -2.0, 0.5])


def expected_reward(policy: Policy) -> float:
    return float(np.exp(policy.log_likelihood(EVERY_ROW)) @ REWARDS)


def exact_gradient(policy: Policy) -> Vector:
    """By enumeration: of the expected reward, from finite differences."""
    steps = 1e-6 * np.eye(len(policy.logits))
    return np.array(
        [(expected_reward(policy.moved(one)) - expected_reward(policy.moved(-one))) / 2e-6 for one in steps]
    )


def drawn_in_proportion(policy: Policy, count: int) -> NDArray[np.int64]:
    shares = np.exp(policy.log_likelihood(EVERY_ROW))
    return np.repeat(EVERY_ROW, np.round(count * shares).astype(int), axis=0)


def test_the_estimate_is_the_gradient_of_the_expected_reward_whatever_the_baseline() -> None:
    policy = Policy.uniform(NESTED)
    rows = drawn_in_proportion(policy, 12)  # a half and three sixths: exactly as likely as they are
    rewards = np.array([REWARDS[EVERY_ROW.tolist().index(row)] for row in rows.tolist()])
    for baseline in (0.0, 5.0):
        found = policy_gradient(policy, rows, rewards - baseline, entropy=0.0)
        assert found == pytest.approx(exact_gradient(policy), abs=1e-6)


def test_entropy_pulls_a_lopsided_policy_back() -> None:
    policy = Policy.uniform(NESTED).moved(np.array([2.0, 0, 0, 0, 0]))
    pull = policy_gradient(policy, EVERY_ROW, np.zeros(4), entropy=1.0)
    assert pull[0] < 0 < pull[1]


def test_the_first_step_of_adam_is_the_learning_rate_and_none_without_a_gradient() -> None:
    assert Adam(0.1, 3).step(np.array([5.0, -0.01, 0.0])) == pytest.approx([0.1, -0.1, 0.0], rel=1e-4)


def test_it_finds_the_best_of_4096_assignments_in_800_looks() -> None:
    weights = np.linspace(0.2, 1.0, 12)

    def reward(rows: NDArray[np.int64]) -> Vector:
        return np.asarray((rows * weights).sum(axis=1) - 2.0 * rows[:, 0] * rows[:, 1])

    uniform, rng = Policy.uniform(BITS), np.random.default_rng(0)
    trained, seen = reinforce(uniform, reward, Schedule(), rng, drawn=uniform.sample(16, rng))
    best = [0, *[1] * 11]
    assert best in seen.tolist()
    assert np.exp(trained.log_likelihood(np.array([best])))[0] > 0.5


def test_equal_generators_give_equal_policies() -> None:
    def trained() -> Policy:
        uniform, rng = Policy.uniform(BITS), np.random.default_rng(3)
        rows = uniform.sample(8, rng)
        return reinforce(uniform, lambda rows: rows.sum(axis=1).astype(float), Schedule(20), rng, drawn=rows)[0]

    assert trained().logits.tolist() == trained().logits.tolist()


def test_a_flat_reward_moves_nothing_but_chance() -> None:
    uniform, rng = Policy.uniform(BITS), np.random.default_rng(4)
    flat = Schedule(50, entropy=0.0)
    trained, _ = reinforce(uniform, lambda rows: np.zeros(len(rows)), flat, rng, drawn=uniform.sample(8, rng))
    assert not trained.logits.any()
