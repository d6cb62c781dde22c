"""A policy that learns while a supernet trains: on what it has just drawn, and again on what it drew before.

Letters: B assignments of a step, D decisions, C choices of all decisions together.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from automl.proposals import Adam, Policy, Replay, clipped, policy_gradient
from searchspaces import Decision

LOW, HIGH = 0.8, 1.2
"""Limits of the ratio off the policy, as in Schulman et al. (2017)."""

POLICY_FILE = "policy.safetensors"

Rows = NDArray[np.int64]
Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Lessons:
    """How the policy learns.

    learning_rate   of Adam, on the logits
    entropy         weight of the entropy bonus at the first lesson; falls geometrically to `last_entropy`
    decay           of the moving mean and spread of the rewards, by which advantages are measured
    replay_age      steps after which what was drawn is forgotten, as the shared weights have moved; 0 replays nothing
    """

    learning_rate: float = 0.02
    entropy: float = 0.01
    last_entropy: float = 0.001
    decay: float = 0.95
    replay_age: int = 2000

    def bonus(self, progress: float) -> float:
        """The weight of the entropy bonus, `progress` from 0 to 1 on."""
        if not self.entropy:
            return 0.0
        return float(self.entropy * (self.last_entropy / self.entropy) ** progress)


class Learner:
    """The policy, its optimiser, its memory, and the moving mean and variance of rewards."""

    def __init__(self, decisions: tuple[Decision, ...], lessons: Lessons) -> None:
        self.policy = Policy.uniform(decisions)
        self.replay = Replay.empty(len(decisions))
        self._lessons = lessons
        self._adam = Adam(lessons.learning_rate, len(self.policy.logits))
        self._mean, self._variance, self._seen = 0.0, 0.0, 0

    @property
    def mean_reward(self) -> float:
        """Moving mean; 0 before any reward."""
        return self._mean

    def advantages(self, rewards: Vector) -> Vector:
        """Rewards in units of their usual spread over their usual mean; then both move towards these rewards."""
        if not self._seen:
            self._mean = float(rewards.mean())
        spread = np.sqrt(self._variance) if self._variance > 0.0 else 1.0
        found: Vector = (rewards - self._mean) / spread
        share = max(1.0 - self._lessons.decay, 1.0 / (self._seen + 1))  # at first a plain mean of what there is
        self._variance += share * (float(((rewards - self._mean) ** 2).mean()) - self._variance)
        self._mean += share * (float(rewards.mean()) - self._mean)
        self._seen += 1
        return found

    def learn(self, rows: Rows, rewards: Vector, *, step: int, progress: float, rng: np.random.Generator) -> None:
        """One step uphill: on rows `[B, D]` that the policy has just drawn, and on as many that it drew before."""
        advantages = self.advantages(rewards)
        before = self.replay.sample(len(rows), rng)
        ratios = np.exp(self.policy.log_likelihood(before.rows) - before.log_likelihoods)
        weights = np.concatenate([advantages, clipped(before.advantages, ratios, low=LOW, high=HIGH)])
        drawn = self.policy.log_likelihood(rows)
        gradient = policy_gradient(
            self.policy, np.concatenate([rows, before.rows]), weights, entropy=self._lessons.bonus(progress)
        )
        if self._lessons.replay_age:
            self.replay = self.replay.added(rows, advantages, drawn, step=step, age=self._lessons.replay_age)
        self.policy = self.policy.moved(self._adam.step(gradient))

    def save(self, folder: Path) -> None:
        """Writes all of it into a file of the folder, to the last bit."""
        from safetensors.numpy import save_file

        state = {"logits": self.policy.logits, "moving": np.array([self._mean, self._variance, self._seen])}
        state |= {f"adam.{name}": one for name, one in self._adam.arrays().items()}
        state |= {f"replay.{name}": one for name, one in self.replay.arrays().items()}
        save_file({name: np.ascontiguousarray(one) for name, one in state.items()}, folder / POLICY_FILE)

    def restore(self, folder: Path) -> None:
        """Goes on from what `save` has written."""
        from safetensors.numpy import load_file

        state = load_file(folder / POLICY_FILE)
        self.policy = Policy(self.policy.decisions, state["logits"])
        self._mean, self._variance, seen = state["moving"].tolist()
        self._seen = int(seen)
        self._adam.restore({name: state[f"adam.{name}"] for name in self._adam.arrays()})
        self.replay = Replay.of({name: state[f"replay.{name}"] for name in self.replay.arrays()})
