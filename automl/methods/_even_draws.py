"""Candidates that train weights evenly, whatever a policy thinks of them: one a step, in rounds."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from evaluators import Sampler, Sampling
from searchspaces import Architecture, SearchSpace


@dataclass(eq=False)
class EvenDraws:
    """What an evaluator takes at once in one step, taken one after the other: 'fair' has each operator in each round.

    Round and place follow from the number of the step and the seed, and from nothing else.
    """

    space: SearchSpace
    sampling: Sampling
    seed: int
    _round: int = field(default=-1, init=False, repr=False)
    _drawn: list[Architecture] = field(default_factory=list, init=False, repr=False)

    def at(self, number: int) -> Architecture:
        """The candidate of step `number`, counted from 0."""
        sampler = Sampler(self.space, self.sampling)
        round_, place = divmod(number, sampler.per_step)
        if round_ != self._round:
            self._round, self._drawn = round_, sampler.draw(np.random.default_rng([self.seed, round_, 5]))
        return self._drawn[place]
