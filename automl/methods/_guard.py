"""Keeps choices with weights from being given up before their weights are trained, and tells when they are.

A block without parameters gives at once all that it ever will, so it looks best early, is drawn more often, and what
others would have learnt they never do: differentiable searches collapse to skips and sums (Zela et al. 2020,
Understanding and robustifying differentiable architecture search). In CTR models identities and sums take that place
(Zhu et al. 2022, NAS-CTR). Which choices these are is told by the closed-form costs: a choice is *light* where its
candidate has fewer blocks with weights than that of another choice.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automl.methods._forks import Fork, Prices
from automl.methods._relaxation import Vector, slices
from searchspaces import Choice, Decision


@dataclass(eq=False)
class Guard:
    """What is known of the C choices, from the forks so far; `floor` is what heavy choices of a decision keep together.

    `seen` and `light` count in how many forks each choice was, and in how many of them it was light.
    """

    decisions: tuple[Decision, ...]
    floor: float
    seen: Vector = field(init=False)
    light: Vector = field(init=False)

    def __post_init__(self) -> None:
        self._slices = slices(self.decisions)
        count = sum(len(one.choices) for one in self.decisions)
        self.seen, self.light = np.zeros(count), np.zeros(count)

    def learn(self, forks: Sequence[Fork], prices: Prices) -> None:
        """Sees which choices are light."""
        for fork in forks:
            weighted = [prices.of(one).weighted for one in fork.architectures]
            own = self._slices[fork.at]
            self.seen[own] += 1.0
            self.light[own] += [count < max(weighted) for count in weighted]

    def held(self, logits: Vector) -> tuple[Vector, int]:
        """Logits with light choices lowered where others would keep less than `floor`; and in how many decisions."""
        found, acted = logits.copy(), 0
        for at, is_light in self._mixed():
            own = found[self._slices[at]]
            odds = float(np.logaddexp.reduce(own[is_light]) - np.logaddexp.reduce(own[~is_light]))
            excess = odds - math.log((1.0 - self.floor) / self.floor)
            if excess > 0.0:
                own[is_light] -= excess
                acted += 1
        return found, acted

    def given_up(self, logits: Vector) -> dict[str, Choice]:
        """Decisions whose likeliest choice is light though others are not, with that choice."""
        found = {}
        for at, is_light in self._mixed():
            best = int(logits[self._slices[at]].argmax())
            if is_light[best]:
                found[self.decisions[at].slot] = self.decisions[at].choices[best]
        return found

    def mixed_slots(self) -> list[str]:
        """Decisions that are known to have light choices and others."""
        return [self.decisions[at].slot for at, _ in self._mixed()]

    def places_of(self, at: int) -> slice:
        """Where the choices of decision number `at` stand among the C."""
        return self._slices[at]

    def _mixed(self) -> Iterator[tuple[int, NDArray[np.bool_]]]:
        """Decisions with light choices and others, by number, and which of their choices are light."""
        for at, own in enumerate(self._slices):
            is_light = self.light[own] > 0.5 * self.seen[own]
            if is_light.any() and not is_light.all():
                yield at, is_light
