"""Closed-form cost and shapes of an architecture: what it would take, without building it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, cast

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import canonical
from searchspaces._errors import ArchitectureError, PluginError
from searchspaces._options import Options
from searchspaces._plugins import load_plugin
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Cost, Dense, Shape

BLOCKS = "searchspaces.blocks"
EMBEDDINGS = "searchspaces.embeddings"


class _BlockFormulas(Protocol):
    def output(self, inputs: Sequence[Shape], options: Options) -> Shape: ...

    def cost(self, inputs: Sequence[Shape], options: Options) -> Cost: ...


class _SourceFormulas(Protocol):
    def output(self, schema: FeatureSchema, options: Options) -> Shape: ...

    def cost(self, schema: FeatureSchema, options: Options) -> Cost: ...


def cost(architecture: Architecture, schema: FeatureSchema) -> Cost:
    """Cost of the live part, per example in the forward pass.

    Raises:
        ArchitectureError: the shapes do not fit, or an option of a block is wrong.
        PluginError: a block or an embedding has no such name.
    """
    return sum(node_costs(canonical(architecture), schema), Cost())


def node_costs(architecture: Architecture, schema: FeatureSchema) -> tuple[Cost, ...]:
    """Cost of each node, in their order, dead ones included; raises as `cost` does."""
    known = shapes(architecture, schema)
    return tuple(_node_cost(node, known, schema) for node in architecture.nodes)


def shapes(architecture: Architecture, schema: FeatureSchema) -> tuple[Shape, ...]:
    """Shape of each node's output, in their order, dead ones included.

    Raises:
        ArchitectureError: the shapes do not fit, an option is wrong, or the output is not one number.
        PluginError: a block or an embedding has no such name.
    """
    known: list[Shape] = []
    for index, node in enumerate(architecture.nodes):
        try:
            known.append(node_shape(node, known, schema))
        except ArchitectureError as error:
            raise ArchitectureError(f"node {index}: {error}") from error
        except PluginError as error:
            raise PluginError(f"node {index}: {error}") from error
    if known[-1] != Dense(1):
        raise ArchitectureError(
            f"the last node must give one number per example, but {architecture.nodes[-1].block!r} gives {known[-1]}; "
            "end with a 'logit'"
        )
    return tuple(known)


def fed(architecture: Architecture, schema: FeatureSchema) -> Architecture:
    """The part that the schema can feed: without the sources that it lacks and the blocks these starve.

    A block that still has inputs, but cannot work on them (a dot product left with one token), goes too.
    The architecture must be sound on a schema that has all it reads: a wrong option is not told apart.

    Raises:
        ArchitectureError: nothing reaches the output.
        PluginError: a block or an embedding has no such name.
    """
    known: list[Shape] = []
    nodes: list[Node] = []
    place: dict[int, int] = {}
    for index, node in enumerate(architecture.nodes):
        kept = _kept(node, place)
        if bool(kept.inputs) != bool(node.inputs):
            continue
        try:
            known.append(node_shape(kept, known, schema))
        except ArchitectureError:
            continue
        place[index] = len(nodes)
        nodes.append(kept)
    if len(architecture.nodes) - 1 not in place:
        raise ArchitectureError("no part of this architecture reads a field that the schema has")
    return Architecture(tuple(nodes))


def _kept(node: Node, place: Mapping[int, int]) -> Node:
    """The node with the inputs that have a place, each at the port that it had."""
    positions = [position for position, at in enumerate(node.inputs) if at in place]
    options = node.options
    if "ports" in options:
        options = Options({**options, "ports": [node.port_of(position) for position in positions]})
    return Node(node.block, tuple(place[node.inputs[position]] for position in positions), options)


def node_shape(node: Node, known: Sequence[Shape], schema: FeatureSchema) -> Shape:
    """Shape of one node's output, from those that are `known` of the nodes before it; raises as `shapes` does."""
    if node.inputs:
        return _block(node.block).output([known[at] for at in node.inputs], node.options)
    return _source(node.block).output(schema, node.options)


def _node_cost(node: Node, known: Sequence[Shape], schema: FeatureSchema) -> Cost:
    if node.inputs:
        return _block(node.block).cost([known[at] for at in node.inputs], node.options)
    return _source(node.block).cost(schema, node.options)


def _block(name: str) -> _BlockFormulas:
    return cast(_BlockFormulas, load_plugin(BLOCKS, name))


def _source(name: str) -> _SourceFormulas:
    return cast(_SourceFormulas, load_plugin(EMBEDDINGS, name))
