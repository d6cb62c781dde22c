"""The choices that span a space, named so that every kind of search can use them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

Choice = bool | int | float | str
Assignment = Mapping[str, Choice]


@dataclass(frozen=True)
class Condition:
    """The decision counts only where `slot` was decided as one of `values`."""

    slot: str
    values: tuple[Choice, ...]

    def holds(self, assignment: Assignment) -> bool:
        """Whether the assignment switches the decision on."""
        return assignment.get(self.slot) in self.values


@dataclass(frozen=True)
class Decision:
    """One slot of the genotype with its finite choices."""

    slot: str
    choices: tuple[Choice, ...]
    condition: Condition | None = None

    def counts(self, assignment: Assignment) -> bool:
        """Whether this decision has an effect under the assignment."""
        return self.condition is None or self.condition.holds(assignment)


@dataclass(frozen=True)
class OperatorChoice(Decision):
    """Which block stands in a slot."""


@dataclass(frozen=True)
class InputChoice(Decision):
    """Which edges are there: a yes or no for one, or a text that names several, "0 2" for the sources 0 and 2."""


@dataclass(frozen=True)
class WidthChoice(Decision):
    """How wide a block is; choices are ordered."""


@dataclass(frozen=True)
class OptionChoice(Decision):
    """Any other option of a block, of training or of the system."""


def count_assignments(decisions: Sequence[Decision]) -> int:
    """How many assignments there are of exactly the decisions that count, without listing them.

    Each decision hangs on at most one other, so they are a forest: what hangs on a choice multiplies, the
    choices of a slot add up. Several assignments may decode to one candidate. Conditions must point backwards,
    to decisions that are among these.

    >>> operator = OperatorChoice("operator", ("mlp", "fm"))
    >>> width = WidthChoice("width", (32, 64, 128), Condition("operator", ("mlp",)))
    >>> count_assignments([operator, width])
    4
    """
    hanging: dict[tuple[str, Choice], int] = {}
    roots = 1
    for decision in reversed(decisions):
        own = sum(hanging.pop((decision.slot, choice), 1) for choice in decision.choices)
        if decision.condition is None:
            roots *= own
        else:
            for value in set(decision.condition.values):
                place = (decision.condition.slot, value)
                hanging[place] = hanging.get(place, 1) * own
    return roots
