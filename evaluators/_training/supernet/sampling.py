"""Which candidates a training step of the supernet takes: one operator in each slot, and any of the connections.

Zhang et al. (2023), NASRec: weight sharing neural architecture search for recommender systems, sample so, and begin
with the full path: all connections and the largest widths. Its part falls linearly to none, and is drawn for each block
by itself. There all operators of a block are on the full path at once; here a candidate is a model that stands alone,
so one of them is drawn, and `fair` takes them in turn.

Everything is told by the typed decisions of the space; those on training stay as the evaluator has them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from searchspaces import (
    Architecture,
    Assignment,
    Choice,
    Decision,
    InputChoice,
    OperatorChoice,
    SearchSpace,
    WidthChoice,
)

Genotype = dict[str, Choice]


class Sampling(StrEnum):
    """What one step takes.

    UNIFORM: one candidate. FAIR: as many as the slot with the most operators has, each operator of a slot equally often
    (Chu, Zhang and Xu 2021, FairNAS: rethinking evaluation fairness of weight sharing neural architecture search).
    SANDWICH: the largest, the smallest and two others (Yu and Huang 2019, Universally slimmable networks).
    """

    UNIFORM = "uniform"
    FAIR = "fair"
    SANDWICH = "sandwich"


@dataclass(frozen=True)
class Sampler:
    """Draws the candidates of each step; they follow from the generator that is given and from nothing else."""

    space: SearchSpace
    sampling: Sampling = Sampling.UNIFORM

    @property
    def per_step(self) -> int:
        """How many candidates one step takes."""
        if self.sampling is Sampling.SANDWICH:
            return 4
        return self._most_operators() if self.sampling is Sampling.FAIR else 1

    def draw(self, rng: np.random.Generator, *, full_path: float = 0.0) -> list[Architecture]:
        """Candidates of one step; `full_path` is the chance of a block to have all connections and be widest."""
        if self.sampling is Sampling.SANDWICH:
            ends = [self._decided(rng, pick=pick) for pick in (largest, smallest)]
            return [*ends, *(self._warmed(rng, full_path) for _ in range(2))]
        if self.sampling is Sampling.FAIR:
            return list(self._fair(rng, full_path))
        return [self._warmed(rng, full_path)]

    def _warmed(self, rng: np.random.Generator, full_path: float) -> Architecture:
        """A candidate of the space's own distribution, some blocks of it widened to the full path."""
        blocks = sorted({_block(one) for one in self.space.decisions()})
        chosen = {block for block in blocks if full_path > 0.0 and rng.random() < full_path}
        start = self._random(rng)
        if not chosen:
            return self._architecture(start)

        def pick(one: Decision) -> Choice | None:
            if _block(one) not in chosen:
                return None
            # of a block that was dead the start tells no operator that was drawn
            return _drawn(one, rng) if isinstance(one, OperatorChoice) else largest(one)

        return self._decided(rng, start=start, pick=pick)

    def _fair(self, rng: np.random.Generator, full_path: float) -> Iterator[Architecture]:
        operators = [one for one in self.space.decisions() if isinstance(one, OperatorChoice)]
        count = self._most_operators()
        turns = {one.slot: _in_turn(one, count, rng) for one in operators}
        for number in range(count):
            start = self._random(rng)
            widened = {_block(one) for one in operators if full_path > 0.0 and rng.random() < full_path}

            def pick(one: Decision, number: int = number, widened: set[str] = widened) -> Choice | None:
                if one.slot in turns:
                    return turns[one.slot][number]
                return largest(one) if _block(one) in widened else None

            yield self._decided(rng, start=start, pick=pick)

    def _most_operators(self) -> int:
        counts = (len(one.choices) for one in self.space.decisions() if isinstance(one, OperatorChoice))
        return max(counts, default=1)

    def _random(self, rng: np.random.Generator) -> Assignment:
        return self.space.to_assignment(self.space.sample(rng))

    def _decided(
        self, rng: np.random.Generator, *, pick: Callable[[Decision], Choice | None], start: Assignment | None = None
    ) -> Architecture:
        """What `pick` says, then what stands at the start, then what is drawn: each choice by the first that tells."""
        known, found = start or {}, dict[str, Choice]()
        for decision in self.space.decisions():
            if decision.counts(found):
                picked = pick(decision)
                if picked is None and decision.slot in known:
                    picked = known[decision.slot]
                found[decision.slot] = _drawn(decision, rng) if picked is None else picked
        return self._architecture(found)

    def _architecture(self, assignment: Assignment) -> Architecture:
        architecture = self.space.to_candidate(assignment).architecture
        assert architecture is not None  # the spaces of a supernet have some
        return architecture


def full_path_share(step: int, warm_up_steps: int) -> float:
    """The chance of the full path at a step: from 1 at the first to 0 after the warm-up.

    >>> [full_path_share(step, 4) for step in range(6)]
    [1.0, 0.75, 0.5, 0.25, 0.0, 0.0]
    """
    return max(0.0, 1.0 - step / warm_up_steps) if warm_up_steps else 0.0


def largest(decision: Decision) -> Choice | None:
    """All connections, or the largest width; None where a decision is about neither."""
    if isinstance(decision, InputChoice):
        return max(decision.choices, key=_edges)
    return max(decision.choices, key=float) if isinstance(decision, WidthChoice) else None


def smallest(decision: Decision) -> Choice | None:
    """As few connections as there can be, or the smallest width; None where a decision is about neither."""
    if isinstance(decision, InputChoice):
        return min(decision.choices, key=_edges)
    return min(decision.choices, key=float) if isinstance(decision, WidthChoice) else None


def _edges(choice: Choice) -> int:
    return len(choice.split()) if isinstance(choice, str) else int(choice)


def _block(decision: Decision) -> str:
    """Decisions of one block have the first part of their slot in common."""
    return decision.slot.partition(".")[0]


def _in_turn(decision: Decision, count: int, rng: np.random.Generator) -> Sequence[Choice]:
    """Each choice equally often in a random order, as nearly as `count` allows."""
    rounds = math.ceil(count / len(decision.choices))
    orders = [rng.permutation(len(decision.choices)) for _ in range(rounds)]
    return [decision.choices[int(at)] for at in np.concatenate(orders)[:count]]


def _drawn(decision: Decision, rng: np.random.Generator) -> Choice:
    return decision.choices[int(rng.integers(len(decision.choices)))]
