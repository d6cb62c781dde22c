"""The choices that span a space, named so that every kind of search can use them."""

from __future__ import annotations

from collections.abc import Mapping
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
    """Whether an edge is there."""


@dataclass(frozen=True)
class WidthChoice(Decision):
    """How wide a block is; choices are ordered."""


@dataclass(frozen=True)
class OptionChoice(Decision):
    """Any other option of a block, of training or of the system."""
