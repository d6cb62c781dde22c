"""Architectures as graphs: for checks by an independent library, and as drawings for people."""

from __future__ import annotations

import json

import networkx as nx

from searchspaces._architecture import Architecture
from searchspaces._canonical import canonical, live_nodes
from searchspaces._drawing import Box, draw
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Cost
from searchspaces.cost import node_costs, shapes


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


def to_svg(architecture: Architecture, schema: FeatureSchema | None = None) -> str:
    """A drawing of the canonical live graph: one self-contained `svg` element, inputs at the top.

    With a schema, edges carry shapes and blocks their share of all parameters and multiply-adds.

    Raises:
        ArchitectureError: the shapes do not fit, or an option of a block is wrong.
        PluginError: a block or an embedding has no such name.
    """
    architecture = canonical(architecture)
    nodes = architecture.nodes
    if schema is None:
        return draw([Box(node.block, _told(node.options), node.inputs) for node in nodes])
    costs = node_costs(architecture, schema)
    total = sum(costs, Cost())
    boxes = [
        Box(node.block, _told(node.options), node.inputs, share=_share(cost, total), shape=str(shape))
        for node, cost, shape in zip(nodes, costs, shapes(architecture, schema), strict=True)
    ]
    return draw(boxes, caption=f"{total.parameters:,} parameters, {total.macs:,} multiply-adds per example")


def _told(options: Options) -> str:
    return ", ".join(f"{name} {_value(value)}" for name, value in options.items())


def _value(value: object) -> str:
    if isinstance(value, tuple):
        return "-".join(_value(one) for one in value)
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


def _share(cost: Cost, total: Cost) -> str:
    return f"{_percent(cost.parameters, total.parameters)} params, {_percent(cost.macs, total.macs)} MACs"


def _percent(part: int, whole: int) -> str:
    if not part:
        return "0%"
    share = 100 * part / whole
    return f"{share:.0f}%" if share >= 10 else f"{share:.1f}%" if share >= 0.1 else "<0.1%"
