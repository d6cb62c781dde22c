from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from automl.methods._learner import Learner, Lessons
from searchspaces import Condition, OperatorChoice, WidthChoice

DECISIONS = (
    *(OperatorChoice(f"block{at}.operator", ("a", "b", "c")) for at in range(6)),
    WidthChoice("block0.width", (8, 16), Condition("block0.operator", ("b",))),
)


def taught(learner: Learner, steps: range, *, seed: int = 1) -> Learner:
    """After lessons whose reward counts how many operators are 'b', under noise, on a scale of hundredths."""
    for step in steps:
        rng = np.random.default_rng([seed, step])
        rows = learner.policy.sample(2, rng)
        found = 0.01 * ((rows[:, :6] == 1).sum(axis=1) + rng.standard_normal(2))
        learner.learn(rows, found, step=step, progress=step / 300, rng=rng)
    return learner


def fresh(**lessons: float) -> Learner:
    return Learner(DECISIONS, Lessons(**{"learning_rate": 0.05, **lessons}))  # type: ignore[arg-type]


def test_it_finds_what_is_rewarded_under_noise() -> None:
    likeliest = taught(fresh(), range(300)).policy.likeliest()
    assert [likeliest[f"block{at}.operator"] for at in range(6)] == ["b"] * 6
    assert "block0.width" in likeliest


def test_without_an_age_nothing_is_replayed() -> None:
    assert len(taught(fresh(replay_age=0), range(5)).replay) == 0


def test_advantages_have_the_usual_spread_whatever_the_scale_of_rewards() -> None:
    rng = np.random.default_rng(1)
    drawn = rng.standard_normal((400, 2))
    for scale in (1e-4, 10.0):
        learner = Learner(DECISIONS, Lessons())
        found = np.array([learner.advantages(5.0 + scale * one) for one in drawn])[50:]
        assert float(found.std()) == pytest.approx(1.0, abs=0.15)
        assert abs(float(found.mean())) < 0.1


def test_what_is_too_old_is_forgotten() -> None:
    learner = taught(fresh(replay_age=10), range(30))
    assert learner.replay.steps.min() == 19
    assert len(learner.replay) == 2 * 11


def test_the_bonus_falls_by_a_factor() -> None:
    lessons = Lessons(entropy=0.01, last_entropy=0.0001)
    assert [lessons.bonus(at) for at in (0.0, 0.5, 1.0)] == pytest.approx([0.01, 0.001, 0.0001])
    assert Lessons(entropy=0.0, last_entropy=0.0).bonus(0.5) == 0.0


def test_one_that_was_saved_goes_on_to_the_last_bit(tmp_path: Path) -> None:
    taught(fresh(), range(20)).save(tmp_path)
    again = fresh()
    again.restore(tmp_path)
    whole, parts = taught(fresh(), range(40)), taught(again, range(20, 40))
    assert np.array_equal(parts.policy.logits, whole.policy.logits)
    assert parts.mean_reward == whole.mean_reward
    assert {name: one.tolist() for name, one in parts.replay.arrays().items()} == {
        name: one.tolist() for name, one in whole.replay.arrays().items()
    }
