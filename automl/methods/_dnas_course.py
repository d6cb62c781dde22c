"""One step after the other of a differentiable search: on weights, then on logits, in turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.methods._even_draws import EvenDraws
from automl.methods._forks import Fork, Graphs, Prices, distinct
from automl.methods._guard import Guard
from automl.methods._relaxation import Draw, Target, Vector, expected_loss, mixed_loss
from automl.methods._turns import Turns
from automl.proposals import Adam, Policy
from evaluators import SplitSupernet
from searchspaces import Assignment, SearchSpace

CLIP = 0.1
"""Norm of a fork's gradient by its logits; one that is a hundred times the usual would keep Adam still for long."""


@dataclass(frozen=True)
class LogitSettings:
    """How the logits are trained.

    target          multiply-adds to have, and what missing them costs
    learning_rate   of Adam
    weight_decay    draws logits to zero, that is to choices that are equally likely; beside Adam, which would make
                    steps of full length of it where there is no other gradient (Loshchilov and Hutter 2019, Decoupled
                    weight decay regularization)
    forks           decisions that a step looks at
    floor           probability that choices with weights keep together while they are guarded; None guards nothing
    """

    target: Target
    learning_rate: float = 0.05
    weight_decay: float = 0.01
    forks: int = 4
    floor: float | None = 0.5


@dataclass
class GuardRecord:
    """How often the guard had to act on the logits of a decision, and the first and the last step at which it did.

    `even` are the steps on weights whose candidate was drawn evenly because of it, not from the policy.
    """

    even: int = 0
    acts: int = 0
    first: int | None = None
    last: int | None = None

    def add(self, acts: int, step: int) -> None:
        """It acted on so many decisions at a step."""
        if acts:
            self.acts += acts
            self.first = step if self.first is None else self.first
            self.last = step


class DnasCourse:
    """Where a search stands. A step follows from (seed, step) and what was learnt before, and from nothing else.

    Weights are trained evenly on what `even` says, without it on draws of each decision by itself.
    """

    def __init__(
        self,
        net: SplitSupernet,
        space: SearchSpace,
        prices: Prices,
        turns: Turns,
        how: LogitSettings,
        *,
        seed: int,
        even: EvenDraws | None = None,
    ) -> None:
        self.net, self.space, self.prices, self.turns, self.how = net, space, prices, turns, how
        self.graphs = Graphs(space)
        self.policy = Policy.uniform(space.decisions())
        self.adam = Adam(how.learning_rate, len(self.policy.logits))
        self.guard = Guard(self.policy.decisions, how.floor or 0.5)
        self.record = GuardRecord()
        self.step = 0
        self.seed = seed
        self._even = even

    def macs_of(self, assignment: Assignment) -> int:
        """Multiply-adds of the candidate of an assignment."""
        return self.prices.of(self.graphs.of(assignment)).macs

    def advance(self) -> int:
        """Does one step; gives the rows that models were trained or asked on in it, each as often as there were models.

        Raises:
            AutomlError: candidates of the space have no architecture.
            DivergedError: the losses of the weights in many steps in a row were no finite numbers.
        """
        rows = self._train_logits() if self.turns.is_on_logits(self.step) else self._train_weights()
        self.step += 1
        return rows

    def _train_weights(self) -> int:
        policy = self.policy
        if self._is_guarded:
            policy = Policy.uniform(policy.decisions)
            self.record.even += 1
        if self._even is not None and (self._is_guarded or self.step < self.turns.first):
            return self.net.train(self._even.at(self.net.steps))
        return self.net.train(self.graphs.of(Draw.of(policy, self._rng(0)).assignment))

    def _train_logits(self) -> int:
        draw = Draw.of(self.policy, self._rng(0))
        found = self.graphs.forks(draw.assignment, self._rng(1), most=self.how.forks)
        gradient, rows = self._gradient(draw, found) if found else (np.zeros(len(self.policy.logits)), 0)
        decay = self.how.learning_rate * self.how.weight_decay * self.policy.logits
        self.policy = self.policy.moved(self.adam.step(-gradient) - decay)
        self.guard.learn(found, self.prices)
        if self._is_guarded:
            self._hold()
        return rows

    def _gradient(self, draw: Draw, found: Sequence[Fork]) -> tuple[Vector, int]:
        """Of the mean loss of some forks by all logits, and the rows that it took."""
        ways = distinct(found)
        answers = self.net.ask(ways, number=self.turns.logit_steps_before(self.step))
        said = dict(zip(ways, answers.logits, strict=True))
        gradient = np.zeros(len(self.policy.logits))
        for fork in found:
            outputs = np.stack([said[one] for one in fork.architectures])
            own, slope = self._slope(draw, fork, outputs, answers.labels)
            gradient[own] += clipped(slope) / len(found)
        return gradient, len(answers.labels) * len(ways)

    def _slope(self, draw: Draw, fork: Fork, outputs: Vector, labels: Vector) -> tuple[slice, Vector]:
        """Where the choices of a fork stand, and the gradient of its loss by their logits."""
        turns, step = self.turns, self.step
        relaxed = draw.relaxed(fork.at, temperature=turns.temperature_at(step))
        macs = np.array([float(self.prices.of(one).macs) for one in fork.architectures])
        loss = expected_loss if turns.is_straight(step) else mixed_loss
        return relaxed.own, loss(relaxed, outputs, labels, macs, self.how.target.at(turns.price_at(step)))[1]

    def _hold(self) -> None:
        logits, acts = self.guard.held(self.policy.logits)
        self.policy = self.policy.moved(logits - self.policy.logits)
        self.record.add(acts, self.step)

    @property
    def _is_guarded(self) -> bool:
        return self.how.floor is not None and self.turns.is_guarded(self.step)

    def _rng(self, stream: int) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.step, stream])


def clipped(slope: Vector) -> Vector:
    """A gradient of at most the norm `CLIP`."""
    norm = float(np.linalg.norm(slope))
    return slope * (CLIP / norm) if norm > CLIP else slope
