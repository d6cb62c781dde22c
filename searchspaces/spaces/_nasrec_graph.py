"""From the blocks of the NASRec space to the graph that they make.

Source 0 stands for the raw inputs, source i for block i. Each has a dense vector and field vectors; both are values of
nodes of the graph.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical
from searchspaces._options import Options

RAW = 0
MERGER_TOKENS = 8
HEADS = 8
NORM_GAIN = 0.17
"""Where the weights of the norms of a transformer begin: the authors tuned it."""

UNARY, BINARY = ("mlp", "dot_product"), ("sigmoid_gate", "sum")


@dataclass(frozen=True)
class DenseHalf:
    """What gives a block's dense vector.

    `sources` are sets, ascending, for the operators `UNARY`; of `BINARY` ones the left and the right, the gate first.
    """

    operator: str
    sources: tuple[int, ...]
    width: int


@dataclass(frozen=True)
class SparseHalf:
    """What gives a block's field vectors."""

    operator: str
    tokens: int


@dataclass(frozen=True)
class PlacedBlock:
    """A choice block; a half is None where nothing depends on it.

    Both the sparse half and a dot product take `fields`. `to_sparse`: the dense vector follows the field vectors, as
    tokens; `to_dense`: a factorization machine on the field vectors is added to the dense vector.
    """

    dense: DenseHalf | None = None
    sparse: SparseHalf | None = None
    fields: tuple[int, ...] = ()
    to_sparse: bool = False
    to_dense: bool = False


@dataclass(frozen=True)
class RawInputs:
    """The nodes of source 0: which gives the dense vector, which the field vectors, and how long these are."""

    nodes: tuple[Node, ...]
    dense: int
    sparse: tuple[int, ...]
    dim: int


def reduced_tokens(width: int) -> int:
    """Tokens that a dot product leaves of all it takes, so that its pairs are about as many as its units."""
    return round(math.sqrt(2 * width))


def architecture(blocks: Sequence[PlacedBlock], raw: RawInputs, *, layer_norm: bool) -> Architecture:
    """The canonical graph of blocks 1, 2, ...; the logit takes what the last one gives."""
    graph = _Graph(raw, layer_norm)
    for block in blocks:
        graph.add_block(block)
    return canonical(Architecture((*graph.nodes, Node("logit", (*graph.dense[-1], *graph.sparse[-1])))))


class _Graph:
    def __init__(self, raw: RawInputs, layer_norm: bool) -> None:
        self.nodes = list(raw.nodes)
        self.dense: list[tuple[int, ...]] = [(raw.dense,)]
        self.sparse: list[tuple[int, ...]] = [raw.sparse]
        self._dim = raw.dim
        self._normed: dict[str, object] = {"layer_norm": True} if layer_norm else {}
        self._layer: dict[str, object] = {"norm": "layer"} if layer_norm else {}

    def add_block(self, block: PlacedBlock) -> None:
        """The nodes of one block; both mergers read what its halves give by themselves."""
        fields = tuple(at for source in block.fields for at in self.sparse[source])
        sparse = self._sparse_half(block.sparse, fields)
        dense = self._dense_half(block.dense, fields)
        tokens: tuple[int, ...] = ()
        if dense and block.to_sparse:
            cut = {"tokens": MERGER_TOKENS, "dim": self._dim}
            tokens = (self._add("dense_to_tokens", dense, {**cut, **self._normed}),)
        if dense and sparse and block.dense and block.to_dense:
            pairs = self._projected(self._add("bi_interaction", sparse), block.dense.width)
            dense = (self._add("sum", (*dense, pairs)),)
        self.dense.append(dense)
        self.sparse.append((*sparse, *tokens))

    def _sparse_half(self, half: SparseHalf | None, fields: tuple[int, ...]) -> tuple[int, ...]:
        if half is None:
            return ()
        if half.operator == "efc":
            return (self._add("efc", fields, {"tokens": half.tokens, **self._normed}),)
        normed = {"token_norm": True} if self._normed else {}
        options = {"tokens": half.tokens, "heads": math.gcd(HEADS, self._dim), "gain": NORM_GAIN, **normed}
        return (self._add("transformer", fields, options),)

    def _dense_half(self, half: DenseHalf | None, fields: tuple[int, ...]) -> tuple[int, ...]:
        if half is None:
            return ()
        given = tuple(at for source in half.sources for at in self.dense[source])
        if half.operator == "mlp":
            return (self._add("mlp", given, {"width": half.width, **self._layer}),)
        if half.operator == "sum":
            return (self._projected(self._add("sum", given, {"pad": True}), half.width),)
        if half.operator == "sigmoid_gate":
            gated = self._add("sigmoid_gate", given, {"ports": ("gate", "value"), "width": half.width, "pad": True})
            return (self._add("layer_norm", (gated,)) if self._normed else gated,)
        reduction = {"tokens": reduced_tokens(half.width), "activation": "none", **self._normed}
        fewer = self._add("efc", fields, reduction)
        return (self._projected(self._add("dot_product", (*given, fewer)), half.width),)

    def _projected(self, at: int, width: int) -> int:
        return self._add("mlp", (at,), {"width": width, "activation": "none", **self._layer})

    def _add(self, block: str, inputs: tuple[int, ...], options: Mapping[str, object] | None = None) -> int:
        self.nodes.append(Node(block, inputs, Options(options)))
        return len(self.nodes) - 1
