"""A small space of operators in a row, of which a few orders of them can say what is planted."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from searchspaces import (
    Architecture,
    Assignment,
    Candidate,
    CandidateError,
    Choice,
    Condition,
    Decision,
    InputChoice,
    Node,
    OperatorChoice,
    Options,
    WidthChoice,
    canonical,
)
from searchspaces._decided_space import DecidedSpace

DIM = 8
"""Numbers of a vector."""

CROSS, IDENTITY = "cross", "identity"
JOINING = ("linear", CROSS)
"""Operators that take several inputs."""


@dataclass(frozen=True)
class _Chain:
    """A `Coding`: two places one after the other, and whether the second takes the vectors themselves as well."""

    width: int
    operators: tuple[str, ...]
    ranks: tuple[int, ...]

    def decisions(self) -> Sequence[Decision]:
        """Operator and rank of both places, and the shortcut."""
        joining = tuple(one for one in self.operators if one in JOINING)
        shortcut = InputChoice("second.shortcut", (False, True), Condition("second.operator", joining))
        return [*self._place("first"), *self._place("second"), shortcut]

    def candidate(self, genotype: Assignment) -> Candidate:
        """Vectors, what stands in the places, logit."""
        nodes = [Node("full", (), Options(dim=DIM))]
        self._add(nodes, "first", (0,), genotype)
        has_shortcut = genotype.get("second.shortcut", False) and len(nodes) > 1
        inputs = (0, len(nodes) - 1) if has_shortcut else (len(nodes) - 1,)
        self._add(nodes, "second", inputs, genotype)
        taken = {one for node in nodes for one in node.inputs}
        nodes.append(Node("logit", tuple(at for at in range(len(nodes)) if at not in taken)))
        return Candidate(canonical(Architecture(tuple(nodes))))

    def read(self, candidate: Candidate) -> Mapping[str, Choice]:
        """By trying: there are few.

        Raises:
            CandidateError: no assignment gives the candidate.
        """
        for genotype in self._all():
            if self.candidate(genotype).fingerprint == candidate.fingerprint:
                return genotype
        raise CandidateError("a candidate of this space has its operators in a row, but this one does not")

    def _place(self, name: str) -> Iterator[Decision]:
        yield OperatorChoice(f"{name}.operator", self.operators)
        if CROSS in self.operators:
            yield WidthChoice(f"{name}.rank", self.ranks, Condition(f"{name}.operator", (CROSS,)))

    def _add(self, nodes: list[Node], name: str, inputs: tuple[int, ...], genotype: Assignment) -> None:
        operator = str(genotype[f"{name}.operator"])
        if operator == IDENTITY:
            return
        options: dict[str, Options] = {"linear": Options(width=self.width), "layer_norm": Options()}
        if operator == CROSS:
            options[CROSS] = Options(kind="low_rank", layers=1, rank=genotype[f"{name}.rank"])
        nodes.append(Node(operator, inputs, options[operator]))

    def _all(self) -> Iterator[dict[str, Choice]]:
        found: list[dict[str, Choice]] = [{}]
        for decision in self.decisions():
            found = [
                {**one, decision.slot: choice}
                for one in found
                for choice in (decision.choices if decision.counts(one) else decision.choices[:1])
            ]
        yield from found


def chain_space(
    fields: int,
    *,
    operators: Sequence[str] = (IDENTITY, "layer_norm", "linear", CROSS),
    ranks: Sequence[int] = (8, 16, 32),
) -> DecidedSpace:
    """The space for so many categorical fields; a shortcut past the identity is none."""
    return DecidedSpace(_Chain(fields * DIM, tuple(operators), tuple(ranks)))


def crosses(candidate: Candidate) -> int:
    """Layers of crossing, one on the other: d of them say products of up to 2 ** d fields."""
    assert candidate.architecture is not None
    return sum(node.block == CROSS for node in candidate.architecture.nodes)
