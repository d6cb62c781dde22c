"""A space of a few candidates, and a supernet that answers from a table instead of computing."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from automl.bench.dnas.chain_space import chain_space
from evaluators import Answers, Metric
from searchspaces import Architecture, Choice, FeatureSchema, Field, Kind

FIELDS = 3
SCHEMA = FeatureSchema(tuple(Field(f"c{at}", Kind.CATEGORICAL, 5) for at in range(FIELDS)))
SPACE = chain_space(FIELDS, ranks=(2, 4))


def assignment(
    first: str, second: str, *, ranks: tuple[int, int] = (2, 2), shortcut: bool = False
) -> dict[str, Choice]:
    """A full one."""
    return {
        "first.operator": first,
        "first.rank": ranks[0],
        "second.operator": second,
        "second.rank": ranks[1],
        "second.shortcut": shortcut,
    }


def everything() -> list[dict[str, Choice]]:
    """All full assignments of the space."""
    decisions = SPACE.decisions()
    return [
        {one.slot: choice for one, choice in zip(decisions, chosen, strict=True)}
        for chosen in itertools.product(*(one.choices for one in decisions))
    ]


@dataclass
class Told:
    """A `SplitSupernet` in which the click logits of a candidate are `logit_of` it on every row; all labels are one."""

    liked: str
    steps: int = 0
    rows: int = 4

    @property
    def scoring_rows(self) -> int:
        return 10

    def train(self, architecture: Architecture) -> int:
        self.steps += 1
        return self.rows

    def ask(self, architectures: Sequence[Architecture], *, number: int) -> Answers:
        logits = [[self.logit_of(one)] * self.rows for one in architectures]
        return Answers(np.array(logits), np.ones(self.rows))

    def logit_of(self, architecture: Architecture) -> float:
        return float(sum(node.block == self.liked for node in architecture.nodes))

    def score(self, architecture: Architecture) -> dict[str, Metric]:
        return {"supernet_ne": Metric(1.0 - 0.1 * self.logit_of(architecture))}

    def peak_bytes(self) -> int:
        return 1

    def save(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "steps").write_text(str(self.steps), encoding="utf-8")

    def restore(self, folder: Path) -> None:
        self.steps = int((folder / "steps").read_text(encoding="utf-8"))
