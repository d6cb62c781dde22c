"""Architectures as graphs: for checks by an independent library, their distances, and drawings for people."""

from __future__ import annotations

import json

import networkx as nx

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical, live_nodes
from searchspaces._drawing import Box, draw
from searchspaces._edit_distance import EditDistance, search_edits
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Cost
from searchspaces.cost import node_costs, shapes

MOST_STEPS = 2000
"""Of a search for edits: with some ten nodes a second or less."""


def to_networkx(architecture: Architecture) -> nx.DiGraph[int]:
    """The live graph. Nodes have a `label` (block and options), edges the sorted `ports` they lead to."""
    live = set(live_nodes(architecture))
    graph: nx.DiGraph[int] = nx.DiGraph()
    for index in sorted(live):
        node = architecture.nodes[index]
        options = {name: value for name, value in node.options.items() if name != "ports"}
        label = json.dumps([node.block, options, "ports" in node.options], sort_keys=True)
        graph.add_node(index, label=label)
        for source in set(node.inputs):
            ports = sorted(node.port_of(at) for at, one in enumerate(node.inputs) if one == source)
            graph.add_edge(source, index, ports=tuple(ports))
    return graph


def is_isomorphic(one: Architecture, other: Architecture) -> bool:
    """Whether the live graphs are the same up to the order of nodes and of interchangeable inputs.

    Slow and independent of `canonical`: the reference for it.
    """
    return nx.is_isomorphic(
        to_networkx(one),
        to_networkx(other),
        node_match=lambda left, right: left["label"] == right["label"],
        edge_match=lambda left, right: left["ports"] == right["ports"],
    )


def edit_distance(one: Architecture, other: Architecture, *, steps: int = MOST_STEPS) -> EditDistance:
    """How far two architectures lie apart: the least total cost of edits that make one live graph the other.

    An edit inserts or removes a node (cost 1), an input (1 for each edge, also where it comes or goes with its
    node), gives an input another port (1), or replaces a node: by another block at 1, by the same block with
    other options at half the share of options, each with its value, that only one of the two has. The output
    stays the output. This is a metric: 0 exactly for isomorphic graphs, symmetric, with the triangle inequality.

    The search ends after `steps` partial maps of nodes, whatever the machine: graphs of some ten nodes are done
    by then, and of larger ones the bounds are true, but apart.

    >>> from searchspaces import Options
    >>> short = Architecture((Node("numeric"), Node("mlp", (0,), Options(width=64)), Node("logit", (1,))))
    >>> wide = Architecture((Node("numeric"), Node("mlp", (0,), Options(width=128)), Node("logit", (1,))))
    >>> edit_distance(short, wide)
    EditDistance(lower=0.5, upper=0.5)
    """
    return search_edits(one, other, steps=steps)


def to_svg(architecture: Architecture, schema: FeatureSchema | None = None) -> str:
    """A drawing of the canonical live graph: one self-contained `svg` element, inputs at the top.

    With a schema, edges carry shapes and blocks their share of all parameters and FLOPs. The same graph gives
    the same text.

    Raises:
        ArchitectureError: the shapes do not fit, or an option of a block is wrong.
        PluginError: a block or an embedding has no such name.
    """
    architecture = canonical(architecture)
    if schema is None:
        return draw([_box(node) for node in architecture.nodes])
    costs = node_costs(architecture, schema)
    total = sum(costs, Cost())
    told = zip(architecture.nodes, costs, shapes(architecture, schema), strict=True)
    boxes = [_box(node, share=_share(cost, total), shape=str(shape)) for node, cost, shape in told]
    return draw(boxes, caption=f"{total.parameters:,} parameters, {total.flops:,} FLOPs per example")


def _box(node: Node, *, share: str = "", shape: str = "") -> Box:
    ports = tuple(node.port_of(at) for at in range(len(node.inputs))) if "ports" in node.options else ()
    options = tuple(f"{name} {_value(value)}" for name, value in node.options.items() if name != "ports")
    return Box(node.block, options, node.inputs, ports, share, shape)


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "-".join(_value(one) for one in value)
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _share(cost: Cost, total: Cost) -> str:
    return f"{_percent(cost.parameters, total.parameters)} params, {_percent(cost.flops, total.flops)} FLOPs"


def _percent(part: int, whole: int) -> str:
    if not part:
        return "0%"
    share = 100 * part / whole
    return f"{share:.0f}%" if share >= 10 else f"{share:.1f}%" if share >= 0.1 else "<0.1%"
