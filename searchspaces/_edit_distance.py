"""How many edits lie between two graphs: a search over what each node becomes, with sound bounds at any moment.

Best-first branch and bound. Nodes of the smaller graph are decided from the output up: the output becomes
the output, any other node one of the larger graph's, or it is removed. What is still open costs at least
its cheapest assignment, where a node answers for itself, for its edges to decided nodes and for half of its
edges to open ones (Riesen and Bunke 2009, Approximate graph edit distance computation by means of bipartite
graph matching; as a lower bound Blumenthal and Gamper 2020, On the exact computation of the graph edit
distance). The same assignment, carried out, is an edit path, so each step bounds the distance from above too.

Letters: an array `[one, other]` has a row per node of the smaller graph and a column per node of the larger
one, and at the end of each a row and a column for nothing: a node becomes nothing, or comes from nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from heapq import heappop, heappush
from itertools import count

import numpy as np
from numpy.typing import NDArray

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical

OTHER_BLOCK, OTHER_OPTIONS = 1.0, 0.5
"""Of replacing a node: by another block, and by the same block when no option stays as it was."""

SHIFTED = 1.5
"""Of replacing a node by another block where edits are told in words, for a distance's 1."""

TOLERANCE = 1e-9

Costs = NDArray[np.float64]
Counts = NDArray[np.int64]


@dataclass(frozen=True)
class EditDistance:
    """Bounds of a distance; they are equal where it is known exactly."""

    lower: float
    upper: float

    @property
    def is_exact(self) -> bool:
        """Whether the search ended before its steps did."""
        return self.lower == self.upper


def replacement_cost(one: Node, other: Node) -> float:
    """Of a node by another: 0 for equal ones, 1 for another block, between them half the share of other options.

    That share is the Jaccard distance of the sets of options, each with its value; the names of ports are
    no option here but belong to the edges, whether a node has them counts as one.
    """
    if one.block != other.block:
        return OTHER_BLOCK
    left, right = _options(one), _options(other)
    return OTHER_OPTIONS * len(left ^ right) / len(left | right) if left != right else 0.0


def search_edits(one: Architecture, other: Architecture, *, steps: int) -> EditDistance:
    """The distance of the live graphs, exact if `steps` partial assignments (at least one) suffice."""
    smaller, larger = sorted((canonical(one), canonical(other)), key=lambda form: (len(form.nodes), form.to_json()))
    if smaller.to_json() == larger.to_json():
        return EditDistance(0.0, 0.0)
    return _search(_Pair.of(smaller, larger), max(1, steps))[0]


def match_nodes(one: Architecture, other: Architecture, *, steps: int) -> tuple[int | None, ...]:
    """What each node of the canonical graph `one` becomes on the cheapest path found to the canonical `other`.

    A node of `other`, each at most once, or None where it is removed; what no node becomes is inserted. Here another
    block costs more than in a distance, where to shift a chain by one block is as cheap as to insert one.
    """
    is_smaller = len(one.nodes) <= len(other.nodes)
    smaller, larger = (one, other) if is_smaller else (other, one)
    _, images = _search(_Pair.of(smaller, larger, _telling_cost), max(1, steps))
    became = {node: image for node, image in enumerate(reversed(images)) if image < len(larger.nodes)}
    if not is_smaller:
        became = {image: node for node, image in became.items()}
    return tuple(became.get(node) for node in range(len(one.nodes)))


def _telling_cost(one: Node, other: Node) -> float:
    """Between staying and being removed and inserted again, which a source rather is than to become a block."""
    if one.block == other.block:
        return replacement_cost(one, other)
    return SHIFTED if bool(one.inputs) == bool(other.inputs) else 2 * SHIFTED


def _options(node: Node) -> frozenset[str]:
    values = {name: True if name == "ports" else value for name, value in node.options.items()}
    return frozenset(json.dumps(item) for item in values.items())


@dataclass(frozen=True)
class _Partial:
    """What the last nodes of the smaller graph become, from its output up.

    `settled` is the cost of the decided nodes and of the edges between them; `pending` `[one, other]` that
    of the edges between them and a node that is open, should it become that.
    """

    images: tuple[int, ...]
    settled: float
    pending: Counts


@dataclass(frozen=True)
class _Pair:
    """Two graphs: costs of replacing nodes `[one, other]`, and inputs `[port, consumer, source]` of both."""

    replacing: Costs
    one: Counts
    other: Counts

    @classmethod
    def of(
        cls, one: Architecture, other: Architecture, cost: Callable[[Node, Node], float] = replacement_cost
    ) -> _Pair:
        """Both must be canonical, so that the output comes last and nothing is dead."""
        ports = sorted({node.port_of(at) for graph in (one, other) for node in graph.nodes for at in _range(node)})
        replacing = np.ones((len(one.nodes) + 1, len(other.nodes) + 1))
        replacing[-1, -1] = 0
        for row, left in enumerate(one.nodes):
            for column, right in enumerate(other.nodes):
                replacing[row, column] = cost(left, right)
        return cls(replacing, _inputs(one, ports), _inputs(other, ports))

    @property
    def sizes(self) -> tuple[int, int]:
        """Nodes of both, without nothing: its place in each."""
        return self.replacing.shape[0] - 1, self.replacing.shape[1] - 1

    def blank(self) -> _Partial:
        """Nothing is decided."""
        return _Partial((), 0.0, np.zeros(self.replacing.shape, dtype=np.int64))

    def extended(self, partial: _Partial, image: int) -> _Partial:
        """The next node decided as well."""
        node = self.sizes[0] - 1 - len(partial.images)
        settled = partial.settled + self.replacing[node, image] + partial.pending[node, image]
        inward = _unlike(self.one[:, node, :], self.other[:, image, :])
        outward = _unlike(self.one[:, :, node], self.other[:, :, image])
        return _Partial((*partial.images, image), float(settled), partial.pending + inward + outward)

    def outlook(self, partial: _Partial) -> tuple[float, tuple[int, ...]]:
        """The least that the open nodes can cost, and what each would become at that, from the output up."""
        from scipy.optimize import linear_sum_assignment

        rows = [*range(self.sizes[0] - len(partial.images)), self.sizes[0]]
        columns = [*self.free(partial), self.sizes[1]]
        each = self._local_costs(partial, rows, columns)
        height, width = len(rows) - 1, len(columns) - 1
        square = np.zeros((height + width, height + width))
        square[:height, :width] = each[:-1, :-1]
        square[:height, width:] = each[:-1, -1:]
        square[height:, :width] = each[-1:, :-1]
        at, to = linear_sum_assignment(square)
        images = (columns[min(int(column), width)] for column in to[:height][::-1])
        return float(square[at, to].sum()), tuple(images)

    def _local_costs(self, partial: _Partial, rows: list[int], columns: list[int]) -> Costs:
        one, other = self.one[:, rows][:, :, rows], self.other[:, columns][:, :, columns]
        open_edges = _unlike(one.sum(axis=2), other.sum(axis=2)) + _unlike(one.sum(axis=1), other.sum(axis=1))
        chosen = np.ix_(rows, columns)
        local: Costs = self.replacing[chosen] + partial.pending[chosen] + open_edges / 2
        return local

    def free(self, partial: _Partial) -> Iterator[int]:
        """Nodes of the larger graph that nothing has become yet."""
        return (column for column in range(self.sizes[1]) if column not in partial.images)

    def cost(self, images: tuple[int, ...]) -> float:
        """Of the edit path that makes these of all nodes."""
        order = list(images[::-1])
        one, other = self.one[:, :-1, :-1], self.other[:, order][:, :, order]
        common = np.minimum(one, other).sum(axis=0)
        kept = np.maximum(one.sum(axis=0), other.sum(axis=0)) - common
        nodes = self.replacing[range(self.sizes[0]), order].sum()
        inserted = self.sizes[1] - sum(image < self.sizes[1] for image in images)
        return float(nodes + inserted + kept.sum() + self.other.sum() - other.sum())


def _search(pair: _Pair, steps: int) -> tuple[EditDistance, tuple[int, ...]]:
    """The bounds, and what the nodes become, from the output up, on the path that is the upper one."""
    number = count()
    upper, best = float("inf"), tuple[int, ...]()
    # each waits with the bound that it has from its parent, and as its parent and one image more: most are never
    # looked at; at equal bounds the deepest comes first, and the likeliest of one parent
    waiting = [(0.0, 0, next(number), pair.blank(), pair.sizes[1] - 1)]
    for _ in range(steps):
        lower, _, _, parent, image = heappop(waiting)
        partial = pair.extended(parent, image)
        least, images = pair.outlook(partial)
        path = (*partial.images, *images)
        if (cost := pair.cost(path)) < upper:
            upper, best = cost, path
        lower = max(lower, partial.settled + least)
        if images and lower < upper - TOLERANCE:
            for following in dict.fromkeys((images[0], *pair.free(partial), pair.sizes[1])):
                heappush(waiting, (lower, -len(partial.images), next(number), partial, following))
        if not waiting or waiting[0][0] >= upper - TOLERANCE:
            return EditDistance(upper, upper), best
    return EditDistance(waiting[0][0], upper), best


def _inputs(graph: Architecture, ports: list[str]) -> Counts:
    size = len(graph.nodes) + 1
    inputs = np.zeros((len(ports), size, size), dtype=np.int64)
    for index, node in enumerate(graph.nodes):
        for at in _range(node):
            inputs[ports.index(node.port_of(at)), index, node.inputs[at]] += 1
    return inputs


def _range(node: Node) -> range:
    return range(len(node.inputs))


def _unlike(one: Counts, other: Counts) -> Counts:
    """From `[port, a]` and `[port, b]` to `[a, b]`: inputs to insert, to remove or to give another port."""
    shared = np.minimum(one[:, :, None], other[:, None, :]).sum(axis=0)
    unlike: Counts = np.maximum(one.sum(axis=0)[:, None], other.sum(axis=0)) - shared
    return unlike
