"""Architectures as immutable data: a directed acyclic graph written so that a cycle cannot be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from searchspaces._errors import ArchitectureError
from searchspaces._options import Options

FORMAT_VERSION = 1


@dataclass(frozen=True)
class Node:
    """One operator of an architecture.

    A node without inputs is a *source*: a raw input with its embedding choice, looked up in
    `searchspaces.embeddings`; every other block is looked up in `searchspaces.blocks`. Inputs are a
    multiset unless the option `ports` names one role per input (`{"ports": ["value", "gate"]}`).
    """

    block: str
    inputs: tuple[int, ...] = ()
    options: Options = field(default_factory=Options)

    def port_of(self, position: int) -> str:
        """Role of the input at `position`; the empty string where inputs are interchangeable."""
        ports = self.options.get("ports")
        return str(ports[position]) if isinstance(ports, tuple) else ""


@dataclass(frozen=True)
class Architecture:
    """Genotype of a ranking model: nodes in topological order, the last one gives the logit.

    >>> graph = Architecture((Node("numeric"), Node("logit", (0,))))
    >>> Architecture.from_json(graph.to_json()) == graph
    True

    Raises:
        ArchitectureError: no nodes, an input that does not point backwards, a `ports` option of
            another length than the inputs, or a last node without inputs.
    """

    nodes: tuple[Node, ...]

    def __post_init__(self) -> None:
        if not self.nodes:
            raise ArchitectureError("an architecture needs at least one source and an output, but has no nodes")
        for index, node in enumerate(self.nodes):
            _check_node(index, node)
        if not self.nodes[-1].inputs:
            raise ArchitectureError(
                f"the last node is the output and needs an input, but {self.nodes[-1].block!r} has none"
            )

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        return {"version": FORMAT_VERSION, "nodes": [_node_to_dict(node) for node in self.nodes]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Architecture:
        """Reads what `to_dict` wrote.

        Raises:
            ArchitectureError: another format version, or a node that is not well-formed.
        """
        version = content.get("version")
        if version != FORMAT_VERSION:
            raise ArchitectureError(
                f"this release reads architectures of version {FORMAT_VERSION}, but got version {version!r}; "
                "export the architecture again with this release"
            )
        nodes = content.get("nodes")
        if not isinstance(nodes, list):
            raise ArchitectureError(f"'nodes' must be a list, but is {type(nodes).__name__}")
        return cls(tuple(_node_from_dict(index, node) for index, node in enumerate(nodes)))

    def to_json(self) -> str:
        """One line of JSON with sorted keys."""
        return json.dumps(self.to_dict(), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> Architecture:
        """Inverse of `to_json`.

        Raises:
            ArchitectureError: the text is not JSON, or not an architecture.
        """
        try:
            content = json.loads(text)
        except json.JSONDecodeError as error:
            reason = f"an architecture must be JSON, but line {error.lineno} is not: {error.msg}"
            raise ArchitectureError(reason) from error
        if not isinstance(content, dict):
            raise ArchitectureError(f"an architecture must be a JSON object, but is {type(content).__name__}")
        return cls.from_dict(content)


def _check_node(index: int, node: Node) -> None:
    for source in node.inputs:
        if not 0 <= source < index:
            raise ArchitectureError(
                f"inputs must point to earlier nodes, but node {index} ({node.block!r}) takes input {source}"
            )
    ports = node.options.get("ports")
    if ports is not None and (not isinstance(ports, tuple) or len(ports) != len(node.inputs)):
        raise ArchitectureError(
            f"'ports' must name one role per input, but node {index} ({node.block!r}) "
            f"has {len(node.inputs)} inputs and ports {ports!r}"
        )


def _node_to_dict(node: Node) -> dict[str, Any]:
    return {"block": node.block, "inputs": list(node.inputs), "options": node.options.to_dict()}


def _node_from_dict(index: int, content: object) -> Node:
    if not isinstance(content, dict) or not isinstance(content.get("block"), str):
        raise ArchitectureError(f"node {index} must be an object with a 'block' name, but is {content!r}")
    inputs = content.get("inputs", [])
    if not isinstance(inputs, list) or not all(type(one) is int for one in inputs):
        raise ArchitectureError(f"'inputs' of node {index} must be a list of node numbers, but is {inputs!r}")
    options = content.get("options", {})
    if not isinstance(options, dict):
        raise ArchitectureError(f"'options' of node {index} must be an object, but is {options!r}")
    return Node(content["block"], tuple(inputs), Options(options))
