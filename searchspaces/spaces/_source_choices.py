"""How raw inputs enter a candidate: decisions on embeddings and numeric fields that several spaces share.

A choice is a source, or several joined by a plus: "numeric+quantile_bins" has bins beside the numbers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from searchspaces._architecture import Node
from searchspaces._decisions import Assignment, Choice, Condition, Decision, OperatorChoice, WidthChoice
from searchspaces._errors import CandidateError, SpaceError, did_you_mean
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Fields, Shape
from searchspaces.cost import node_shape
from searchspaces.spaces._settings import Setting, checked_numbers, read_settings, setting_decisions, written

NUMERIC, EMBEDDING = "numeric", "embedding"

_KNOWN: Mapping[str, Mapping[str, tuple[Setting, ...]]] = {
    NUMERIC: {
        "numeric": (),
        "numeric_linear": (),
        "quantile_bins": (Setting("bins", (16, 32, 64, 128)),),
        "piecewise_linear": (Setting("bins", (8, 16, 32, 64)),),
        "autodis": (Setting("buckets", (10, 20, 40)),),
    },
    EMBEDDING: {
        "full": (),
        "hashed": (Setting("rows", (1_000, 10_000, 100_000)),),
        "quotient_remainder": (
            Setting("collisions", (2, 4, 16, 64)),
            Setting("operation", ("mult", "add"), "mult"),
        ),
        "mixed_dimension": (Setting("alpha", (0.1, 0.3, 0.6)),),
        "multi_embedding": (Setting("tables", (2, 3)),),
        "frequency": (),
    },
}
_DENSE = ("numeric", "frequency")
"""Sources that give numbers and have no dimension."""


class SourceChoices:
    """Decisions on the sources of one schema; a group of fields that the schema lacks has none.

    Raises:
        SpaceError: a choice names an unknown source or one twice, or dimensions do not ascend from 2 on.
    """

    def __init__(
        self, schema: FeatureSchema, *, dims: Sequence[int], embeddings: Sequence[str], numerics: Sequence[str]
    ) -> None:
        self.schema = schema
        self.dims = checked_numbers("embedding_dims", dims, least=2)
        wanted = {NUMERIC: ("numerics", numerics), EMBEDDING: ("embeddings", embeddings)}
        there = {NUMERIC: bool(schema.numeric), EMBEDDING: bool(schema.categorical)}
        checked = {group: _checked(option, choices, group) for group, (option, choices) in wanted.items()}
        self.choices = {group: choices for group, choices in checked.items() if there[group]}

    def decisions(self) -> Iterator[Decision]:
        """The dimension of all field vectors, the sources of each group, and the settings of these."""
        yield WidthChoice("dim", self.dims)
        for group, choices in self.choices.items():
            yield OperatorChoice(group, choices)
            for source, settings in _KNOWN[group].items():
                with_it = tuple(choice for choice in choices if source in choice.split("+"))
                if with_it:
                    yield from setting_decisions(f"{group}.{source}", settings, Condition(group, with_it))

    def nodes(self, genotype: Assignment) -> dict[str, tuple[Node, ...]]:
        """The sources of each group."""
        found = {}
        for group in self.choices:
            names = str(genotype[group]).split("+")
            found[group] = tuple(self._node(group, name, genotype) for name in names)
        return found

    def shapes(self, nodes: Sequence[Node]) -> list[Shape]:
        """What the sources give."""
        return [node_shape(node, (), self.schema) for node in nodes]

    def read(self, nodes: Sequence[Node]) -> dict[str, Choice]:
        """Choices by slot, from the sources of a candidate.

        Raises:
            CandidateError: no choice has exactly these sources.
        """
        found: dict[str, Choice] = {}
        for group, choices in self.choices.items():
            own = {node.block: node for node in nodes if node.block in _KNOWN[group]}
            fitting = [choice for choice in choices if set(choice.split("+")) == set(own)]
            if not fitting:
                raise CandidateError(
                    f"the {group} sources of this space are one of {', '.join(choices)}, but the candidate has "
                    f"{'+'.join(own) or 'none'}"
                )
            found[group] = fitting[0]
            for name, node in own.items():
                found |= read_settings(f"{group}.{name}", _KNOWN[group][name], node.options)
        for node in nodes:
            dim = node.options.get("dim")
            if isinstance(dim, int):
                found["dim"] = dim
        return found

    def group_of(self, node: Node) -> str:
        """The group that a source belongs to."""
        return next((group for group in self.choices if node.block in _KNOWN[group]), "")

    def _node(self, group: str, name: str, genotype: Assignment) -> Node:
        own = written(f"{group}.{name}", _KNOWN[group][name], genotype)
        return Node(name, (), Options(own if name in _DENSE else {"dim": genotype["dim"], **own}))


def token_count(shapes: Sequence[Shape]) -> int:
    """Tokens of everything together: field vectors, and one for all dense inputs."""
    fields = [shape.tokens for shape in shapes if isinstance(shape, Fields)]
    return sum(fields) + (len(fields) < len(shapes))


def _checked(option: str, choices: Sequence[str], group: str) -> tuple[str, ...]:
    if isinstance(choices, str) or not choices:
        raise SpaceError(f"{option!r} must be a list with at least one of {list(_KNOWN[group])}, but is {choices!r}")
    seen: list[set[str]] = []
    for choice in choices:
        names = str(choice).split("+")
        for name in names:
            if name not in _KNOWN[group]:
                raise SpaceError(f"no source {name!r} for {option!r}; {did_you_mean(name, list(_KNOWN[group]))}")
        if len(set(names)) < len(names) or set(names) in seen:
            raise SpaceError(
                f"each source is named once in a choice, and each choice once, but {option!r} repeats {choice!r}"
            )
        seen.append(set(names))
    return tuple(str(choice) for choice in choices)
