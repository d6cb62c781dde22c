"""One run of the one-shot method: the warm-up, the lessons, the scores, and what is kept on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from automl._checkpoint import Advance, Checkpoint, Json
from automl._read_out import TRAINING
from automl.methods._learner import Learner
from automl.methods._reading_out import drawn, evolved, learned
from automl.methods._reward import Pricing, rewards
from automl.methods._supernets import SCORING, score_of
from evaluators import StepLosses, SupernetBesideBaseline
from searchspaces import Architecture, Candidate, SearchSpace

READ_OUTS = ("policy", "rl", "evolution")
BASELINE = "baseline"


@dataclass(frozen=True)
class Course:
    """What a run does: `steps` of training, the first share `warm_up` of them without lessons, then the scores."""

    space: SearchSpace
    price: Pricing
    seed: int
    steps: int
    warm_up: float
    sampled: int
    read_out: str
    candidates: int
    keep: int
    checkpoint_seconds: float

    @property
    def silent(self) -> int:
        """Steps before the first lesson."""
        return round(self.warm_up * self.steps)

    def generator(self, step: int) -> np.random.Generator:
        """That of a step of training: nothing has to be kept of it."""
        return np.random.default_rng([self.seed, 0, step])


@dataclass(eq=False)
class OneShotRun:
    """A run from where its state is.

    `state` is JSON: rows of the stream, steps done, scores by fingerprint, and what the price remembers.
    """

    course: Course
    checkpoint: Checkpoint
    net: SupernetBesideBaseline
    learner: Learner
    state: Json

    def read_out(self) -> list[Candidate]:
        """The best candidates; none where the checkpoint said stop on the way."""
        self._train()
        if self.checkpoint.is_stopped:
            return []
        scored = list(self._scored())
        if self.checkpoint.is_stopped:
            return []
        best = sorted((one for one in scored if self._worth(one) > -np.inf), key=self._worth, reverse=True)
        return best[: self.course.keep]

    def _train(self) -> None:
        while self.net.steps < self.course.steps and not self.checkpoint.is_stopped:
            step = self.net.steps
            losses = self._silent_step(step) if step < self.course.silent else self._lesson(step)
            used = losses.rows * (len(losses.candidates) + 1)
            self.checkpoint.spend(TRAINING, rows=used, peak_bytes=self.net.peak_bytes())
            self.checkpoint.tell(Advance(TRAINING, self.net.steps, self.course.steps, self._words()))
            if self.checkpoint.is_due(self.course.checkpoint_seconds):
                self._keep_all()
        if self.state.get("steps") != self.net.steps:
            self._keep_all()

    def _silent_step(self, step: int) -> StepLosses:
        """A step of the warm-up: rewards only tell what is usual."""
        full_path = 1.0 - step / self.course.silent
        chosen = self.net.draw(self.course.generator(step), self.course.sampled, full_path=full_path)
        losses = self.net.step(chosen)
        self.learner.advantages(rewards(losses.candidates, losses.baseline, [0.0] * len(chosen)))
        return losses

    def _lesson(self, step: int) -> StepLosses:
        """A step on candidates that the policy draws, which learns from their losses."""
        course, rng = self.course, self.course.generator(step)
        rows = self.learner.policy.sample(course.sampled, rng)
        chosen = [course.space.to_candidate(self.learner.policy.assignment(row)) for row in rows]
        losses = self.net.step([_architecture(one) for one in chosen])
        found = rewards(losses.candidates, losses.baseline, [course.price.of(one) for one in chosen])
        progress = (step - course.silent) / max(1, course.steps - course.silent)
        self.learner.learn(rows, found, step=step, progress=progress, rng=rng)
        return losses

    def _scored(self) -> Iterator[Candidate]:
        """What was thought of, each scored; the state has the scores, so that a run that goes on finds them again."""
        self._score(BASELINE, self._score_baseline)
        for number, candidate in enumerate(self._thought_of(), start=1):
            is_new = self._score(candidate.fingerprint, partial(score_of, self.net, candidate))
            self.course.price.of(candidate)  # timed before the state is kept, where it has to be
            self.checkpoint.tell(Advance(SCORING, number, self.course.candidates))
            yield candidate
            if is_new and self.checkpoint.is_stopped:
                break
        self.checkpoint.keep(self.state)

    def _thought_of(self) -> Iterator[Candidate]:
        course, policy = self.course, self.learner.policy
        rng = np.random.default_rng([course.seed, 1, 0])
        if course.read_out == "evolution":
            return evolved(policy, course.space, course.candidates, self._worth, rng)
        if course.read_out == "rl":
            return learned(policy, course.space, course.candidates, self._worth, rng)
        return drawn(policy, course.space, course.candidates, rng)

    def _score(self, key: str, measured: Callable[[], float | None]) -> bool:
        """Whether it had not been scored before."""
        scores = self.state["scores"]
        if key in scores:
            return False
        scores[key] = measured()
        self.checkpoint.spend(SCORING, rows=self.net.scoring_rows, peak_bytes=self.net.peak_bytes())
        if self.checkpoint.is_due(self.course.checkpoint_seconds):
            self.checkpoint.keep(self.state)
        return True

    def _score_baseline(self) -> float:
        return self.net.score_baseline()["supernet_ne"].value

    def _worth(self, candidate: Candidate) -> float:
        """The reward, by scores instead of losses; minus infinity where it could not be scored."""
        score = self.state["scores"].get(candidate.fingerprint)
        if score is None:
            return -np.inf
        (found,) = rewards([score], self.state["scores"][BASELINE], [self.course.price.of(candidate)])
        return float(found)

    def _keep_all(self) -> None:
        def write(folder: Path) -> None:
            self.net.save(folder)
            self.learner.save(folder)

        self.state["steps"] = self.net.steps
        self.checkpoint.keep(self.state, write)

    def _words(self) -> str:
        sure = float(np.exp(self.learner.policy.entropies()).mean())
        return f"reward {100 * self.learner.mean_reward:+.2f} %, {sure:.2f} choices open a decision"


def _architecture(candidate: Candidate) -> Architecture:
    assert candidate.architecture is not None  # the spaces of a supernet have some
    return candidate.architecture
