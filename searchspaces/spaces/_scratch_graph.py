"""Between the blocks of the space from scratch and the graph that they make, both ways."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from searchspaces._architecture import Node
from searchspaces._decisions import Assignment, Choice, OptionChoice, WidthChoice
from searchspaces._errors import ArchitectureError, CandidateError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Dense, Fields, Shape
from searchspaces.cost import node_shape

OPERATORS = (
    "mlp",
    "dot_product",
    "sigmoid_gate",
    "sum",
    "transformer",
    "efc",
    "fm",
    "cross",
    "token_linear",
    "identity",
)
GATE, SUM, IDENTITY = "sigmoid_gate", "sum", "identity"
PROJECTION = "linear"
"""What brings an input of a sum to its width; it is no operator of its own."""

_DECIDED: Mapping[str, tuple[str, ...]] = {
    "width": ("mlp", "sigmoid_gate", "sum"),
    "tokens": ("transformer", "efc", "token_linear"),
    "norm": ("mlp", "transformer", "efc"),
    "heads": ("transformer",),
    "layers": ("cross",),
    "rank": ("cross",),
}
"""What is decided of a block, beside its inputs, and of which operators."""

_WITH_DIM = ("dot_product", "transformer", "efc", "fm", "token_linear")
_NORMS: Mapping[str, tuple[str, Choice]] = {
    "mlp": ("norm", "layer"),
    "transformer": ("token_norm", True),
    "efc": ("layer_norm", True),
}


@dataclass(frozen=True)
class BlockChoices:
    """What may be decided of every block: operators, and the choices of each of `_DECIDED`."""

    operators: tuple[str, ...]
    choices: Mapping[str, tuple[Choice, ...]]

    def decided(self) -> list[tuple[str, type[OptionChoice] | type[WidthChoice], tuple[Choice, ...], tuple[str, ...]]]:
        """Name, kind, choices and operators of each decision that some operator has."""
        found = []
        for name, of in _DECIDED.items():
            operators = tuple(one for one in of if one in self.operators)
            if operators:
                kind = WidthChoice if name in ("width", "tokens", "rank") else OptionChoice
                found.append((name, kind, self.choices[name], operators))
        return found


@dataclass
class Graph:
    """Nodes as blocks are put in; `place` has the nodes that a name stands for, `free` those that nothing takes."""

    dim: Choice
    schema: FeatureSchema
    nodes: list[Node] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    place: dict[str, tuple[int, ...]] = field(default_factory=dict)
    free: set[int] = field(default_factory=set)

    def add_source(self, name: str, nodes: Sequence[Node], shapes: Sequence[Shape]) -> None:
        """A raw group."""
        first = len(self.nodes)
        self.nodes += nodes
        self.shapes += shapes
        self.place[name] = tuple(range(first, len(self.nodes)))
        self.free.update(self.place[name])

    def add_block(self, name: str, operator: str, inputs: Sequence[str], genotype: Assignment) -> None:
        """A block on the inputs that are there; one that cannot work on them leaves no trace.

        Where a block would give what it takes (an identity, a sum of one vector), its name stands for its last input.
        """
        known = [one for one in inputs if one in self.place]
        taken = sorted({at for one in known for at in self.place[one]})
        gate = self.place.get(str(genotype.get(f"{name}.gate")), ())
        if operator == IDENTITY or (operator == SUM and self._is_sum_of_one(taken, genotype[f"{name}.width"])):
            if known:
                self.place[name] = self.place[known[-1]]
            return
        if taken and (gate or operator != GATE):
            options = _options(name, operator, genotype, self.dim)
            self._put(name, operator, [*taken, *gate], options | _ports(operator, len(taken), len(gate)), genotype)

    def _is_sum_of_one(self, taken: Sequence[int], width: Choice) -> bool:
        return len(taken) == 1 and self.shapes[taken[0]] == Dense(int(width))

    def _put(
        self, name: str, operator: str, inputs: list[int], options: Mapping[str, object], genotype: Assignment
    ) -> None:
        if operator == SUM:
            inputs = [self._of_width(at, int(genotype[f"{name}.width"])) for at in inputs]
        node = Node(operator, tuple(inputs), Options(options))
        try:
            shape = node_shape(node, self.shapes, self.schema)
        except ArchitectureError:
            return
        self.free.difference_update(inputs)
        self.place[name] = (self._append(node, shape),)
        self.free.update(self.place[name])

    def _of_width(self, at: int, width: int) -> int:
        shape = self.shapes[at]
        if (shape.dim if isinstance(shape, Fields) else shape.width) == width:
            return at
        self.free.discard(at)
        return self._append(Node(PROJECTION, (at,), Options(width=width)), Dense(width))

    def _append(self, node: Node, shape: Shape) -> int:
        self.nodes.append(node)
        self.shapes.append(shape)
        return len(self.nodes) - 1


def read_blocks(nodes: Sequence[Node], shapes: Sequence[Shape], names: dict[int, str]) -> list[dict[str, Choice]]:
    """Choices of the blocks among canonical nodes, in their order, by the end of their slots.

    `shapes` are what the nodes give, and tell the width of a sum. `names` has those of the sources, and gets those of
    the blocks.

    Raises:
        CandidateError: a node is no operator of the space.
    """
    blocks = []
    for at, node in enumerate(nodes[:-1]):
        if not node.inputs:
            continue
        if node.block == PROJECTION:
            names[at] = names[node.inputs[0]]
            continue
        if node.block not in OPERATORS or node.block == IDENTITY:
            raise CandidateError(f"{node.block!r} is no operator of this space; (known: {', '.join(OPERATORS)})")
        blocks.append(_read_block(node, shapes[at], names))
        names[at] = f"block{len(blocks)}"
    return blocks


def _read_block(node: Node, shape: Shape, names: Mapping[int, str]) -> dict[str, Choice]:
    ported = [(names[source], node.port_of(at)) for at, source in enumerate(node.inputs)]
    found: dict[str, Choice] = {name: True for name, port in ported if port != "gate"}
    gates = [name for name, port in ported if port == "gate"]
    if gates:
        found["gate"] = gates[0]
    for name in _DECIDED:
        value = node.options.get(name)
        if isinstance(value, int | float | str) and name != "norm":
            found[name] = value
    if node.block in _NORMS:
        found["norm"] = _NORMS[node.block][0] in node.options
    if node.block == "transformer":
        found.setdefault("heads", 1)
    if node.block == SUM and isinstance(shape, Dense):
        found["width"] = shape.width
    return found | {"operator": node.block}


def _options(name: str, operator: str, genotype: Assignment, dim: Choice) -> dict[str, object]:
    """Options of the block's node, defaults left out; a sum has none."""
    if operator == SUM:
        return {}
    decided = {what: genotype[f"{name}.{what}"] for what, of in _DECIDED.items() if operator in of and what != "norm"}
    if decided.get("heads") == 1:
        del decided["heads"]
    found: dict[str, object] = {**decided, **({"dim": dim} if operator in _WITH_DIM else {})}
    if operator == "cross":
        found["kind"] = "low_rank"
    if operator in _NORMS and genotype[f"{name}.norm"]:
        found |= dict([_NORMS[operator]])
    return found


def _ports(operator: str, values: int, gates: int) -> dict[str, object]:
    return {"ports": ["value"] * values + ["gate"] * gates} if operator == GATE else {}
