"""Roles of nodes: what common random numbers of a node depend on.

A role is (block, depth, occurrence). `depth` is the longest way from a source. `occurrence` is 0, but where several
nodes of an architecture stand on equal sub-graphs, they are told apart by their canonical order, since equal starts
on equal inputs would stay equal. So equal sub-graphs of two architectures have equal roles, and a node keeps its role
when something elsewhere changes.
"""

from __future__ import annotations

import hashlib
import json

from searchspaces._architecture import Architecture


def roles(architecture: Architecture) -> tuple[str, ...]:
    """Role of each node of a canonical architecture, in their order.

    >>> from searchspaces import Node, Options
    >>> twins = [Node("mlp", (0,), Options(width=8)), Node("mlp", (0,), Options(width=8))]
    >>> roles(Architecture((Node("numeric"), *twins, Node("logit", (1, 2)))))
    ('numeric|0|0', 'mlp|1|0', 'mlp|1|1', 'logit|2|0')
    """
    depths: list[int] = []
    digests: list[str] = []
    seen: dict[str, int] = {}
    found = []
    for node in architecture.nodes:
        depths.append(1 + max((depths[at] for at in node.inputs), default=-1))
        ports = [node.port_of(position) for position in range(len(node.inputs))]
        below = sorted(zip(ports, (digests[at] for at in node.inputs), strict=True))
        label = json.dumps([node.block, node.options.to_dict(), below], sort_keys=True)
        digests.append(hashlib.sha256(label.encode()).hexdigest())
        occurrence = seen.get(digests[-1], 0)
        seen[digests[-1]] = occurrence + 1
        found.append(f"{node.block}|{depths[-1]}|{occurrence}")
    return tuple(found)
