"""Where a drawn candidate could have gone another way: one decision with what each of its choices would give.

No space has to say where its alternatives meet. A choice gives another assignment, the space makes a graph of it, and
graphs that are equal are one: a decision without effect shows in that all its choices give the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from automl._errors import AutomlError
from searchspaces import Architecture, Assignment, Choice, FeatureSchema, SearchSpace
from searchspaces.cost import node_costs

MOST_KNOWN = 100_000
"""Architectures, and prices of them, that are remembered."""


@dataclass(frozen=True)
class Fork:
    """The decision number `at`, and the architecture of each of its choices."""

    at: int
    architectures: tuple[Architecture, ...]

    @property
    def is_live(self) -> bool:
        """Whether it makes a difference which choice is taken."""
        return len(set(self.architectures)) > 1


@dataclass(frozen=True)
class Price:
    """Multiply-adds an example, and how many blocks between sources and logit have weights."""

    macs: int
    weighted: int


@dataclass(frozen=True, eq=False)
class Prices:
    """Closed-form prices on one schema."""

    schema: FeatureSchema
    _known: dict[Architecture, Price] = field(default_factory=dict, repr=False)

    def of(self, architecture: Architecture) -> Price:
        """The price of a canonical architecture."""
        if architecture not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[architecture] = self._priced(architecture)
        return self._known[architecture]

    def _priced(self, architecture: Architecture) -> Price:
        costs = node_costs(architecture, self.schema)
        between = zip(architecture.nodes[:-1], costs[:-1], strict=True)
        weighted = sum(bool(node.inputs) and own.parameters > 0 for node, own in between)
        return Price(sum(own.macs for own in costs), weighted)


@dataclass(frozen=True, eq=False)
class Graphs:
    """The canonical architectures of the assignments of a space, each made once as long as it is remembered."""

    space: SearchSpace
    _known: dict[tuple[str, ...], Architecture] = field(default_factory=dict, repr=False)

    def of(self, assignment: Assignment) -> Architecture:
        """That of an assignment that may decide more than what counts.

        Raises:
            AutomlError: candidates of the space have none.
        """
        counting = self.counting(assignment)
        key = tuple([f"{slot}={choice!r}" for slot, choice in counting.items()])
        if key not in self._known:
            if len(self._known) >= MOST_KNOWN:
                self._known.clear()
            self._known[key] = self._made(counting)
        return self._known[key]

    def counting(self, assignment: Assignment) -> dict[str, Choice]:
        """The decisions of an assignment that have an effect."""
        found: dict[str, Choice] = {}
        for decision in self.space.decisions():
            if decision.counts(found):
                found[decision.slot] = assignment[decision.slot]
        return found

    def fork(self, assignment: Assignment, at: int) -> Fork:
        """The decision number `at` of a full assignment in which it counts."""
        decision = self.space.decisions()[at]
        return Fork(at, tuple(self.of({**assignment, decision.slot: choice}) for choice in decision.choices))

    def forks(self, assignment: Assignment, rng: np.random.Generator, *, most: int) -> list[Fork]:
        """Up to `most` decisions that make a difference to a full assignment, each as likely as the others."""
        decisions, counting = self.space.decisions(), self.counting(assignment)
        open_ = [at for at, one in enumerate(decisions) if one.slot in counting and len(one.choices) > 1]
        found: list[Fork] = []
        for at in rng.permutation(open_):
            if len(found) == most:
                break
            one = self.fork(assignment, int(at))
            if one.is_live:
                found.append(one)
        return found

    def _made(self, counting: Assignment) -> Architecture:
        found = self.space.to_candidate(counting).architecture
        if found is None:
            raise AutomlError(
                "a differentiable search is over a space of architectures, but candidates of this one have none"
            )
        return found


def distinct(of: Sequence[Fork]) -> list[Architecture]:
    """All architectures of some forks, each once, in the order in which they come."""
    return list(dict.fromkeys(_all(of)))


def _all(of: Sequence[Fork]) -> Iterator[Architecture]:
    for one in of:
        yield from one.architectures
