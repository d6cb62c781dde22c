"""From a graph back to blocks of the NASRec space: what each node is part of, and a place for each half of a block.

Dead structure has no place. Halves that nothing ties together may come to stand in one block although two had them, and
the other way round: the graph is the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical
from searchspaces._errors import CandidateError
from searchspaces.spaces._nasrec_graph import RAW, DenseHalf, PlacedBlock, RawInputs, SparseHalf, architecture
from searchspaces.spaces._nasrec_places import Pair, Ties, place

SPARSE_OPERATORS = ("efc", "transformer")
NUMBERS = ("numeric", "frequency")
"""Sources that give a dense vector."""

_PARTS = ("dot_product", "sum", "sigmoid_gate", "efc", "bi_interaction", "logit")
"""Blocks that may stand inside of a half or of a merger."""


@dataclass(frozen=True)
class ReadBlocks:
    """The blocks of a candidate, the last one at the end, as few as it can have."""

    blocks: tuple[PlacedBlock, ...]
    raw: RawInputs
    layer_norm: bool


def read_blocks(graph: Architecture, *, most: int) -> ReadBlocks:
    """The inverse of `_nasrec_graph.architecture` for at most so many blocks, dead structure left out.

    Raises:
        CandidateError: no choice of so many blocks makes this graph.
    """
    graph = canonical(graph)
    try:
        found = _Reader(graph.nodes).read(most)
    except (LookupError, TypeError, ValueError, StopIteration) as error:
        raise CandidateError(f"the nodes are not wired as blocks of this space are ({error!r})") from error
    if found is None:
        raise CandidateError(f"the candidate needs more than the {most} blocks that there are")
    if architecture(found.blocks, found.raw, layer_norm=found.layer_norm) != graph:
        raise CandidateError(
            "the nodes are not wired as blocks of this space are, or have other options: the blocks that can be read "
            "off make another graph"
        )
    return found


class _Reader:
    """Tells the halves of the blocks of a canonical graph, each by the node that it ends with."""

    def __init__(self, nodes: Sequence[Node]) -> None:
        self._nodes = nodes
        self._halves: dict[int, DenseHalf | SparseHalf] = {}
        self._dense_inputs: dict[int, tuple[int, ...]] = {}
        self._field_inputs: dict[int, tuple[int, ...]] = {}
        self._half_of: dict[int, int] = {}  # by the node of a dense vector: the half that it is the vector of
        self._mergers: dict[int, int] = {}  # by the node of its tokens: the half whose vector they are made of
        self._added: dict[int, int] = {}  # by a dense half: the sparse half whose pairs are added to it
        self._raw = _raw_inputs(nodes)
        for at, node in enumerate(nodes):
            if node.inputs and node.block != "concat":
                self._tell(at, node)

    def read(self, most: int) -> ReadBlocks | None:
        """The blocks; None where they are more than `most`."""
        last = self._nodes[-1].inputs
        dense = next(self._half_of[at] for at in last if at in self._half_of)
        sparse = next(at for at in last if isinstance(self._halves.get(at), SparseHalf))
        placed = place(self._ties(), (dense, sparse), most=most)
        if placed is None:
            return None
        number = {half: here for here, pair in enumerate(placed, start=1) for half in pair if half is not None}
        norm = "layer_norm" if self._nodes[sparse].block == "efc" else "token_norm"
        blocks = tuple(self._block(pair, number) for pair in placed)
        return ReadBlocks(blocks, self._raw, self._nodes[sparse].options.get(norm) is True)

    def _tell(self, at: int, node: Node) -> None:
        if node.block in SPARSE_OPERATORS and "activation" not in node.options:
            self._halves[at] = SparseHalf(node.block, _number(node, "tokens"))
            self._field_inputs[at] = node.inputs
        elif node.block == "dense_to_tokens":
            self._mergers[at] = self._half_of[node.inputs[0]]
        elif node.block == "sum" and "pad" not in node.options:
            one, other = node.inputs
            dense, pairs = (one, other) if one in self._half_of else (other, one)
            self._half_of[at] = self._half_of[dense]
            self._added[self._half_of[dense]] = self._below(self._below(pairs))
        else:
            self._tell_dense(at, node)

    def _tell_dense(self, at: int, node: Node) -> None:
        operator = self._operator(at, node)
        if operator is None:
            return
        given = list(operator.inputs)
        if operator.block == "sigmoid_gate":
            given = [operator.inputs[place] for place in sorted(range(2), key=operator.port_of)]
        if operator.block == "dot_product":
            fewer = next(one for one in given if self._nodes[one].block == "efc")
            self._field_inputs[at] = self._nodes[fewer].inputs
            given.remove(fewer)
        width = _number(operator if operator.block == "sigmoid_gate" else node, "width")
        self._halves[at] = DenseHalf(operator.block, (), width)
        self._dense_inputs[at] = tuple(given)
        self._half_of[at] = at

    def _operator(self, at: int, node: Node) -> Node | None:
        """The operator of the dense half that ends here, None where none does."""
        if node.block == "mlp" and "activation" not in node.options:
            return node
        if node.block in ("mlp", "layer_norm"):
            below = self._nodes[self._below(at)]
            return None if below.block == "bi_interaction" else below
        if node.block == "sigmoid_gate" and not any(
            one.block == "layer_norm" and at in one.inputs for one in self._nodes
        ):
            return node
        if node.block in _PARTS:
            return None
        raise CandidateError(f"{node.block!r} is no operator of this space")

    def _below(self, at: int) -> int:
        (only,) = self._nodes[at].inputs
        return only

    def _ties(self) -> Ties:
        needs = {}
        for half in self._halves:
            dense = {self._half_of[at] for at in self._dense_inputs.get(half, ()) if not self._is_raw(at)}
            fields = {self._mergers.get(at, at) for at in self._field_inputs.get(half, ()) if not self._is_raw(at)}
            needs[half] = frozenset(dense | fields)
        partners = {half: self._partners(half) for half, one in self._halves.items() if isinstance(one, DenseHalf)}
        return Ties(needs, partners, frozenset(self._added.values()))

    def _partners(self, dense: int) -> frozenset[int | None]:
        """The sparse halves that may stand in the block of a dense one, None among them where none need."""
        found: set[int | None] = {half for half, one in self._halves.items() if isinstance(one, SparseHalf)}
        found = {self._added[dense]} if dense in self._added else (found | {None}) - set(self._added.values())
        if dense in self._field_inputs:
            taken = self._field_inputs[dense]
            found = {half for half in found if half is None or self._field_inputs[half] == taken}
        for merger, half in self._mergers.items():
            if half == dense:
                found = {one for one in found if one is not None and self._takers(one) == self._takers(merger)}
        return frozenset(found)

    def _takers(self, at: int) -> list[int]:
        """The nodes that take field vectors from the block that gives these."""
        return [here for here, node in enumerate(self._nodes) if at in node.inputs and node.block != "bi_interaction"]

    def _is_raw(self, at: int) -> bool:
        return not self._nodes[at].inputs or self._nodes[at].block == "concat"

    def _block(self, pair: Pair, number: dict[int, int]) -> PlacedBlock:
        dense, sparse = pair
        fields: tuple[int, ...] = ()
        for half in pair:
            inputs = self._field_inputs.get(half, ()) if half is not None else ()
            fields = _sources((at for at in inputs if at not in self._mergers), number) or fields
        placed_dense = self._halves[dense] if dense is not None else None
        if isinstance(placed_dense, DenseHalf) and dense is not None:
            given = [number.get(self._half_of.get(at, at), RAW) for at in self._dense_inputs[dense]]
            if placed_dense.operator != "sigmoid_gate":
                given.sort()
            placed_dense = DenseHalf(placed_dense.operator, tuple(given), placed_dense.width)
        placed_sparse = self._halves[sparse] if sparse is not None else None
        return PlacedBlock(
            placed_dense if isinstance(placed_dense, DenseHalf) else None,
            placed_sparse if isinstance(placed_sparse, SparseHalf) else None,
            fields,
            to_sparse=dense in self._mergers.values(),
            to_dense=dense in self._added,
        )


def _sources(inputs: Iterable[int], number: dict[int, int]) -> tuple[int, ...]:
    return tuple(sorted({number.get(at, RAW) for at in inputs}))


def _number(node: Node, name: str) -> int:
    value = node.options[name]
    if type(value) is not int:
        raise CandidateError(f"{name!r} of {node.block!r} must be an integer, but is {value!r}")
    return value


def _raw_inputs(nodes: Sequence[Node]) -> RawInputs:
    """The sources, and what makes one dense vector of several."""
    chosen = [at for at, node in enumerate(nodes) if not node.inputs or node.block == "concat"]
    place = {at: here for here, at in enumerate(chosen)}
    raw = tuple(
        Node(nodes[at].block, tuple(place[one] for one in nodes[at].inputs), nodes[at].options) for at in chosen
    )
    sparse = tuple(here for here, node in enumerate(raw) if not node.inputs and node.block not in NUMBERS)
    joined = [here for here, node in enumerate(raw) if node.inputs]
    dense = joined or [here for here, node in enumerate(raw) if node.block in NUMBERS]
    return RawInputs(raw, dense[0], sparse, _number(raw[sparse[0]], "dim"))
