"""Canonical live graph: equal for isomorphic architectures, without dead blocks.

Colours are refined along both edge directions until they are stable; ties are broken by trying each
member of the first undecided class and keeping the smallest result (individualisation and refinement;
McKay and Piperno 2014, Practical graph isomorphism II). Nodes that share every input and consumer are
interchangeable, so one of them stands for all. The result is exact, not a hash: two architectures are
isomorphic exactly if their canonical forms are equal.

Letters: a colour is an integer per node, its rank among the sorted signatures of the graph.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from searchspaces._architecture import Architecture, Node
from searchspaces._options import Options

Colours = tuple[int, ...]


@dataclass(frozen=True)
class _Graph:
    labels: tuple[str, ...]
    inputs: tuple[tuple[tuple[str, int], ...], ...]  # (port, node), sorted
    consumers: tuple[tuple[tuple[str, int], ...], ...]
    nodes: tuple[Node, ...]


def live_nodes(architecture: Architecture) -> tuple[int, ...]:
    """Indices of the nodes that the output depends on, ascending."""
    live = {len(architecture.nodes) - 1}
    for index in range(len(architecture.nodes) - 1, -1, -1):
        if index in live:
            live.update(architecture.nodes[index].inputs)
    return tuple(sorted(live))


def canonical(architecture: Architecture) -> Architecture:
    """The canonical member of the architecture's isomorphism class, dead blocks removed."""
    graph = _live_graph(architecture)
    start = _refine(graph, _ranks([(label,) for label in graph.labels]))
    certificates = (_rebuild(graph, colours) for colours in _leaves(graph, start))
    return min(certificates, key=lambda one: one.to_json())


def _live_graph(architecture: Architecture) -> _Graph:
    live = live_nodes(architecture)
    place = {old: new for new, old in enumerate(live)}
    nodes = tuple(architecture.nodes[old] for old in live)
    inputs = tuple(
        tuple(sorted((node.port_of(at), place[source]) for at, source in enumerate(node.inputs))) for node in nodes
    )
    consumers: list[list[tuple[str, int]]] = [[] for _ in nodes]
    for index, edges in enumerate(inputs):
        for port, source in edges:
            consumers[source].append((port, index))
    last = len(nodes) - 1
    labels = tuple(_label(node, is_output=index == last) for index, node in enumerate(nodes))
    return _Graph(labels, inputs, tuple(tuple(sorted(edges)) for edges in consumers), nodes)


def _label(node: Node, *, is_output: bool) -> str:
    options = {name: value for name, value in node.options.items() if name != "ports"}
    return json.dumps([is_output, node.block, options], sort_keys=True)


def _ranks(signatures: list[tuple[object, ...]]) -> Colours:
    order = {signature: rank for rank, signature in enumerate(sorted(set(signatures), key=repr))}
    return tuple(order[signature] for signature in signatures)


def _refine(graph: _Graph, colours: Colours) -> Colours:
    while True:
        refined = _ranks([_signature(graph, colours, node) for node in range(len(colours))])
        if len(set(refined)) == len(set(colours)):
            return refined
        colours = refined


def _signature(graph: _Graph, colours: Colours, node: int) -> tuple[object, ...]:
    inward = tuple(sorted((port, colours[other]) for port, other in graph.inputs[node]))
    outward = tuple(sorted((port, colours[other]) for port, other in graph.consumers[node]))
    return (colours[node], inward, outward)


def _leaves(graph: _Graph, colours: Colours) -> Iterator[Colours]:
    undecided = _first_tie(colours)
    if undecided is None:
        yield colours
        return
    for node in _one_of_each_twin(graph, undecided):
        split = _ranks([(colour, index != node) for index, colour in enumerate(colours)])
        yield from _leaves(graph, _refine(graph, split))


def _first_tie(colours: Colours) -> tuple[int, ...] | None:
    for colour in sorted(set(colours)):
        members = tuple(index for index, one in enumerate(colours) if one == colour)
        if len(members) > 1:
            return members
    return None


def _one_of_each_twin(graph: _Graph, members: tuple[int, ...]) -> Iterator[int]:
    seen = set()
    for node in members:
        surroundings = (graph.inputs[node], graph.consumers[node])
        if surroundings not in seen:
            seen.add(surroundings)
            yield node


def _rebuild(graph: _Graph, colours: Colours) -> Architecture:
    order = _topological_order(graph, colours)
    place = {old: new for new, old in enumerate(order)}
    return Architecture(tuple(_renumbered(graph, old, place) for old in order))


def _topological_order(graph: _Graph, colours: Colours) -> tuple[int, ...]:
    order: list[int] = []
    waiting = set(range(len(colours)))
    while waiting:
        ready = [node for node in waiting if not any(source in waiting for _, source in graph.inputs[node])]
        chosen = min(ready, key=lambda node: colours[node])
        order.append(chosen)
        waiting.remove(chosen)
    return tuple(order)


def _renumbered(graph: _Graph, old: int, place: dict[int, int]) -> Node:
    edges = sorted((port, place[source]) for port, source in graph.inputs[old])
    node = graph.nodes[old]
    options: dict[str, object] = dict(node.options)
    if "ports" in options:
        options["ports"] = [port for port, _ in edges]
    return Node(node.block, tuple(source for _, source in edges), Options(options))
