"""The ladder of rungs: cheap stand-ins for full training, as fidelities that trials carry.

Full training is rung 0 in every study, with a ladder or without; the rungs below it count down, -1 being the next
cheaper one. So what is no stand-in needs no ladder to be known as such, and a ladder may grow at its lower end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluators import Fidelity
from searchspaces import Options


@dataclass(frozen=True)
class Ladder:
    """Rungs from the cheapest up to full training, each the settings that override the evaluator's."""

    rungs: tuple[Options, ...]

    @classmethod
    def of(cls, settings: Sequence[Mapping[str, object]]) -> Ladder:
        """From the mappings of a configuration."""
        return cls(tuple(Options(one) for one in settings))

    @property
    def full(self) -> Fidelity:
        """The fidelity of full training."""
        return self.fidelities[-1]

    @property
    def cheap(self) -> tuple[Fidelity, ...]:
        """Those of the rungs below, cheapest first."""
        return self.fidelities[:-1]

    @property
    def fidelities(self) -> tuple[Fidelity, ...]:
        """One for each rung, cheapest first.

        >>> [one.rung for one in Ladder.of([{"rows": 10}, {"rows": 100}, {}]).fidelities]
        [-2, -1, 0]
        """
        top = len(self.rungs) - 1
        return tuple(Fidelity(place - top, settings) for place, settings in enumerate(self.rungs))


def rung_name(fidelity: Fidelity) -> str:
    """What people read: 'rung -1 (rows 20000, passes 1)'."""
    settings = ", ".join(f"{name} {value}" for name, value in fidelity.settings.items())
    return f"rung {fidelity.rung}{f' ({settings})' if settings else ''}"
