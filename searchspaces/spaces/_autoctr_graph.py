"""Between the blocks of the AutoCTR space and the graph that they make, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from searchspaces._architecture import Architecture, Node
from searchspaces._candidate import Candidate
from searchspaces._canonical import canonical
from searchspaces._errors import CandidateError, did_you_mean
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema

DENSE, SPARSE = "dense", "sparse"
OUTPUT = Node("logit").block


@dataclass(frozen=True)
class PlacedBlock:
    """A block with the names of what it takes: raw groups or earlier blocks. `width` is 0 but for an mlp."""

    operator: str
    inputs: tuple[str, ...]
    width: int = 0


class Wiring:
    """Rules of the graph for one schema: which blocks are live, what the logit takes, how nodes look."""

    def __init__(
        self, schema: FeatureSchema, *, operators: Sequence[str], widths: Sequence[int], embedding_dim: int
    ) -> None:
        self._operators = operators
        self._widths = widths
        self._fields = len(schema.categorical)
        self._tokens = Options(dim=embedding_dim)
        self.sources: dict[str, Node] = {}
        if schema.numeric:
            self.sources[DENSE] = Node("numeric")
        if schema.categorical:
            self.sources[SPARSE] = Node("full", (), self._tokens)

    @property
    def most_tokens(self) -> int:
        """Tokens of a block that takes everything: one per categorical field, one for all dense inputs."""
        return self._fields + (DENSE in self.sources)

    def architecture(self, blocks: Sequence[PlacedBlock]) -> Architecture:
        """The canonical graph of `block1`, `block2`, ...; those without live input are passed over."""
        place = {name: at for at, name in enumerate(self.sources)}
        nodes = list(self.sources.values())
        free = set(place.values())
        for number, block in enumerate(blocks, start=1):
            names = [name for name in block.inputs if name in place]
            if self._is_live(block.operator, names):
                inputs = tuple(place[name] for name in names)
                free.difference_update(inputs)
                free.add(len(nodes))
                place[f"block{number}"] = len(nodes)
                nodes.append(Node(block.operator, inputs, self._options(block)))
        return canonical(Architecture((*nodes, Node(OUTPUT, tuple(sorted(free))))))

    def blocks(self, candidate: Candidate) -> list[PlacedBlock]:
        """The live blocks in canonical order; the inverse of `architecture`.

        Raises:
            CandidateError: no assignment of any number of blocks says this candidate.
        """
        nodes = self._nodes(candidate)
        names: list[str] = []
        blocks: list[PlacedBlock] = []
        for node in nodes[:-1]:
            if node.inputs:
                blocks.append(self._placed(node, [names[at] for at in node.inputs]))
                names.append(f"block{len(blocks)}")
            else:
                names.append(self._source_name(node, names))
        self._check_output(nodes, names)
        return blocks

    def _is_live(self, operator: str, inputs: Sequence[str]) -> bool:
        if operator != "dot_product":
            return bool(inputs)
        fields = self._fields if SPARSE in inputs else 0
        return fields + any(name != SPARSE for name in inputs) >= 2

    def _options(self, block: PlacedBlock) -> Options:
        return Options(width=block.width) if block.operator == "mlp" else self._tokens

    def _nodes(self, candidate: Candidate) -> tuple[Node, ...]:
        for kind, settings in (("training", candidate.training), ("system", candidate.system)):
            if settings:
                raise CandidateError(f"this space has no {kind} settings, but the candidate sets {sorted(settings)}")
        if candidate.architecture is None:
            raise CandidateError("a candidate of this space has an architecture, but this one has none")
        return canonical(candidate.architecture).nodes

    def _source_name(self, node: Node, taken: Sequence[str]) -> str:
        for name, source in self.sources.items():
            if _same(node, source):
                if name in taken:
                    raise CandidateError(f"each raw group is one source, but {node.block!r} appears twice")
                return name
        raise CandidateError(
            f"the sources of this space are {_listed(self.sources.values())}, but the candidate has {_told(node)}"
        )

    def _placed(self, node: Node, inputs: list[str]) -> PlacedBlock:
        if node.block not in self._operators:
            raise CandidateError(
                f"{node.block!r} is no operator of this space; {did_you_mean(node.block, self._operators)}"
            )
        width = node.options.get("width")
        if node.block == "mlp" and not (type(width) is int and width in self._widths):
            raise CandidateError(
                f"an mlp of this space has one of the widths {list(self._widths)}, but one has {width!r}"
            )
        block = PlacedBlock(node.block, tuple(inputs), width if type(width) is int else 0)
        expected = Node(node.block, node.inputs, self._options(block))
        if not _same(node, expected):
            raise CandidateError(f"in this space it is {_told(expected)}, but the candidate has {_told(node)}")
        if len(set(inputs)) < len(inputs):
            raise CandidateError(f"a block takes an input once or not at all, but {_told(node)} takes {inputs}")
        if not self._is_live(node.block, inputs):
            raise CandidateError(f"a dot product needs two tokens, but one takes only {inputs}")
        return block

    def _check_output(self, nodes: Sequence[Node], names: Sequence[str]) -> None:
        if not _same(nodes[-1], Node(OUTPUT, nodes[-1].inputs)):
            raise CandidateError(f"the output of this space is a plain {OUTPUT!r}, but is {_told(nodes[-1])}")
        missing = [name for name in self.sources if name not in names]
        if missing:
            raise CandidateError(f"what no block takes goes to the logit, but {missing} go nowhere")
        consumed = {at for node in nodes[:-1] for at in node.inputs}
        free = [name for at, name in enumerate(names) if at not in consumed]
        taken = [names[at] for at in nodes[-1].inputs]
        if sorted(free) != sorted(taken):
            raise CandidateError(f"the logit takes exactly what no block takes, {free}, but takes {taken}")


def _same(node: Node, expected: Node) -> bool:
    # By text: 64, 64.0 and True compare equal, but are other options and other fingerprints.
    return node.block == expected.block and repr(node.options) == repr(expected.options)


def _told(node: Node) -> str:
    return f"{node.block}({', '.join(f'{name}={value!r}' for name, value in node.options.items())})"


def _listed(nodes: Iterable[Node]) -> str:
    return " and ".join(_told(node) for node in nodes)
