"""Canonical live graph: equal for isomorphic architectures, without dead blocks.

Nodes are coloured by depth and label, and colours are refined along both edge directions until they are
stable. Ties are broken by trying each member of the first undecided class and keeping the smallest
result (individualisation and refinement; McKay and Piperno 2014, Practical graph isomorphism II). Two
cuts keep symmetric graphs cheap: nodes that share every input and consumer are interchangeable, so one
of them stands for all; and a member that leads to a result seen under an earlier member is its mirror
image, so all its results are those of the earlier one. The form is exact, not a hash: two architectures
are isomorphic exactly if their canonical forms are equal.

Letters: a colour is an integer per node, its rank among the sorted signatures of the graph. Refinement
keeps the order of colours, so sorting by colour sorts by depth first, which is a topological order.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from searchspaces._architecture import Architecture, Node
from searchspaces._options import Options

Colours = list[int]
Edges = tuple[tuple[int, int], ...]  # (rank of the port times the number of nodes, node), sorted
Signature = TypeVar("Signature", tuple[int, str], tuple[int, bool], tuple[int, tuple[int, ...], tuple[int, ...]])

_FORM = "_canonical_form"
_ENCODE_LABEL = json.JSONEncoder(sort_keys=True).encode


@dataclass(frozen=True)
class _Graph:
    nodes: tuple[Node, ...]
    ports: tuple[str, ...]
    inputs: tuple[Edges, ...]
    consumers: tuple[Edges, ...]


@dataclass(frozen=True)
class _Leaf:
    order: tuple[int, ...]
    edges: tuple[Edges, ...]  # of the nodes in that order, numbered by it


def live_nodes(architecture: Architecture) -> tuple[int, ...]:
    """Indices of the nodes that the output depends on, ascending."""
    live = {len(architecture.nodes) - 1}
    for index in range(len(architecture.nodes) - 1, -1, -1):
        if index in live:
            live.update(architecture.nodes[index].inputs)
    return tuple(sorted(live))


def canonical(architecture: Architecture) -> Architecture:
    """The canonical member of the architecture's isomorphism class, dead blocks removed.

    It is found once: an architecture remembers its form, and a form is its own.
    """
    # Kept by identity, not in a table of equal ones: options 64 and 64.0 are equal, but have two forms.
    memory = vars(architecture)
    if _FORM not in memory:
        form = _form(architecture)
        vars(form)[_FORM] = memory[_FORM] = form
    known: Architecture = memory[_FORM]
    return known


def _form(architecture: Architecture) -> Architecture:
    graph = _live_graph(architecture)
    start = _refine(graph, _first_colours(graph))
    best = min(_leaves(graph, start), key=lambda leaf: leaf.edges)
    rewired = (_rewired(graph, old, edges) for old, edges in zip(best.order, best.edges, strict=True))
    return Architecture(tuple(rewired))


def _live_graph(architecture: Architecture) -> _Graph:
    live = live_nodes(architecture)
    place = {old: new for new, old in enumerate(live)}
    nodes = tuple(architecture.nodes[old] for old in live)
    ports = tuple(sorted({node.port_of(at) for node in nodes for at in range(len(node.inputs))}))
    rank = {port: at * len(nodes) for at, port in enumerate(ports)}
    inputs = tuple(
        tuple(sorted([(rank[node.port_of(at)], place[source]) for at, source in enumerate(node.inputs)]))
        for node in nodes
    )
    consumers: list[list[tuple[int, int]]] = [[] for _ in nodes]
    for index, edges in enumerate(inputs):
        for port, source in edges:
            consumers[source].append((port, index))
    return _Graph(nodes, ports, inputs, tuple(tuple(sorted(edges)) for edges in consumers))


def _first_colours(graph: _Graph) -> Colours:
    depths: list[int] = []
    for edges in graph.inputs:
        depths.append(1 + max((depths[source] for _, source in edges), default=-1))
    return _ranks([(depth, _label(node)) for depth, node in zip(depths, graph.nodes, strict=True)])


def _label(node: Node) -> str:
    options = {name: value for name, value in node.options.items() if name != "ports"}
    return _ENCODE_LABEL([node.block, options, "ports" in node.options])


def _ranks(signatures: Sequence[Signature]) -> Colours:
    rank = {signature: at for at, signature in enumerate(sorted(set(signatures)))}
    return [rank[signature] for signature in signatures]


def _refine(graph: _Graph, colours: Colours) -> Colours:
    classes = len(set(colours))
    while classes < len(colours):
        edges = zip(colours, graph.inputs, graph.consumers, strict=True)
        colours = _ranks(
            [(own, _neighbours(inward, colours), _neighbours(outward, colours)) for own, inward, outward in edges]
        )
        before, classes = classes, len(set(colours))
        if classes == before:
            break
    return colours


def _neighbours(edges: Edges, colours: Colours) -> tuple[int, ...]:
    return tuple(sorted([port + colours[other] for port, other in edges]))


def _leaves(graph: _Graph, colours: Colours) -> Iterator[_Leaf]:
    tie = _first_tie(colours)
    if not tie:
        yield _leaf(graph, colours)
        return
    earlier: set[tuple[Edges, ...]] = set()
    for node in _one_of_each_twin(graph, tie):
        chosen = _refine(graph, _ranks([(colour, index != node) for index, colour in enumerate(colours)]))
        own: set[tuple[Edges, ...]] = set()
        for leaf in _leaves(graph, chosen):
            if leaf.edges in earlier:
                break
            own.add(leaf.edges)
            yield leaf
        earlier |= own


def _first_tie(colours: Colours) -> tuple[int, ...]:
    if len(set(colours)) == len(colours):
        return ()
    first = min(colour for colour in colours if colours.count(colour) > 1)
    return tuple(index for index, colour in enumerate(colours) if colour == first)


def _one_of_each_twin(graph: _Graph, members: tuple[int, ...]) -> Iterator[int]:
    surroundings = {(graph.inputs[node], graph.consumers[node]): node for node in reversed(members)}
    yield from surroundings.values()


def _leaf(graph: _Graph, colours: Colours) -> _Leaf:
    order = tuple(sorted(range(len(colours)), key=colours.__getitem__))
    edges = (tuple(sorted([(port, colours[source]) for port, source in graph.inputs[old]])) for old in order)
    return _Leaf(order, tuple(edges))


def _rewired(graph: _Graph, old: int, edges: Edges) -> Node:
    node = graph.nodes[old]
    inputs = tuple(source for _, source in edges)
    if "ports" not in node.options:
        return Node(node.block, inputs, node.options)
    ports = [graph.ports[port // len(graph.nodes)] for port, _ in edges]
    return Node(node.block, inputs, Options({**node.options, "ports": ports}))
