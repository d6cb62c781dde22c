from __future__ import annotations

import numpy as np
import pytest

from automl.proposals import Policy, Replay, clipped
from searchspaces import OperatorChoice

POLICY = Policy.uniform([OperatorChoice(f"block{at}", ("a", "b", "c")) for at in range(2)])


def objective(policy: Policy, replayed: Replay) -> float:
    """The sum that `clipped` is the gradient of, written out."""
    ratios = np.exp(policy.log_likelihood(replayed.rows) - replayed.log_likelihoods)
    both = ratios * replayed.advantages, np.clip(ratios, 0.8, 1.2) * replayed.advantages
    return float(np.minimum(*both).sum())


def test_its_weights_are_the_gradient_of_the_clipped_objective() -> None:
    rng = np.random.default_rng(1)
    rows = POLICY.sample(40, rng)
    replayed = Replay.empty(2).added(rows, rng.standard_normal(40), POLICY.log_likelihood(rows), step=0, age=9)
    now = POLICY.moved(0.3 * rng.standard_normal(6))
    ratios = np.exp(now.log_likelihood(rows) - replayed.log_likelihoods)
    assert 0 < ((ratios < 0.8) | (ratios > 1.2)).sum() < 40
    weights = clipped(replayed.advantages, ratios, low=0.8, high=1.2)
    found = now.likelihood_gradient(rows, weights)
    small = 1e-6 * np.eye(6)
    slopes = [(objective(now.moved(one), replayed) - objective(now.moved(-one), replayed)) / 2e-6 for one in small]
    assert found == pytest.approx(slopes, abs=1e-6)


def test_fresh_draws_count_fully() -> None:
    advantages = np.array([1.0, -2.0])
    assert clipped(advantages, np.ones(2), low=0.8, high=1.2).tolist() == advantages.tolist()


def test_old_draws_are_dropped_by_their_age() -> None:
    replay = Replay.empty(1)
    for step in range(6):
        replay = replay.added(np.array([[step]]), np.ones(1), np.zeros(1), step=step, age=2)
    assert replay.steps.tolist() == [3, 4, 5]
    assert replay.rows[:, 0].tolist() == [3, 4, 5]


def test_a_sample_has_nothing_twice_and_is_shorter_where_there_is_less() -> None:
    replay = Replay.empty(1).added(np.array([[0], [1], [2]]), np.arange(3.0), -np.arange(3.0), step=0, age=1)
    drawn = replay.sample(5, np.random.default_rng(1))
    assert sorted(drawn.rows[:, 0].tolist()) == [0, 1, 2]
    assert drawn.advantages.tolist() == drawn.rows[:, 0].tolist()
    assert drawn.log_likelihoods.tolist() == (-drawn.rows[:, 0]).tolist()
    assert len(replay.sample(2, np.random.default_rng(1))) == 2


def test_arrays_hold_everything() -> None:
    replay = Replay.empty(1).added(np.array([[0], [1]]), np.arange(2.0), -np.arange(2.0), step=4, age=1)
    again = Replay.of(replay.arrays())
    assert {name: one.tolist() for name, one in again.arrays().items()} == {
        "rows": [[0], [1]],
        "advantages": [0.0, 1.0],
        "log_likelihoods": [0.0, -1.0],
        "steps": [4, 4],
    }
