"""Numbers that describe the live graph of an architecture: for models that learn from few trials.

All of them are equal for isomorphic architectures and blind to dead blocks. No library is needed, so that a
predictor can describe a thousand candidates within one ask.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Sequence
from hashlib import blake2b
from itertools import chain

from searchspaces._architecture import Architecture, Node
from searchspaces._canonical import live_nodes

Labels = tuple[str, ...]
Edges = tuple[tuple[str, int], ...]  # (port, place of the source) of each input

LABEL_BYTES = 8


def refined_labels(
    architecture: Architecture, rounds: int, *, with_options: bool, live: bool = True
) -> tuple[Labels, ...]:
    """Labels of the live nodes, or else of all, after 0, 1, ... `rounds` refinements, the output's last in each.

    A label of round h stands for the sub-graph of height h that ends in the node: its block, with its options or
    without, and in each round the multiset of its inputs' labels, each with its port. Equal texts mean equal
    sub-graphs, in every process. Counted, they are the features of the Weisfeiler-Lehman kernel along the edges
    (Shervashidze et al. 2011, Weisfeiler-Lehman Graph Kernels; Ru et al. 2021, Interpretable Neural Architecture
    Search via Bayesian Optimisation with Weisfeiler-Lehman Kernels).

    >>> from searchspaces import Node, Options
    >>> graph = Architecture((Node("numeric"), Node("mlp", (0,), Options(width=8)), Node("logit", (1,))))
    >>> refined_labels(graph, 0, with_options=False)
    (('numeric', 'mlp', 'logit'),)
    """
    nodes, edges = _parts(architecture, live=live)
    labels = tuple(_label(node) if with_options else node.block for node in nodes)
    found = [labels]
    for _ in range(rounds):
        labels = tuple(
            _digest(repr((own, sorted((port, labels[at]) for port, at in inputs))))
            for own, inputs in zip(labels, edges, strict=True)
        )
        found.append(labels)
    return tuple(found)


def graph_features(architecture: Architecture, *, live: bool = True) -> dict[str, float]:
    """Counts and lengths by name; what the graph lacks is left out, so a name that is missing means zero.

    They are of the live graph, or else of the graph as it is written.

    Per block how often it occurs (`block mlp`), the sum of the logarithms to base 2 of its numeric options
    (`size mlp width`), which blocks it takes (`edge fm mlp`) and how often it feeds the output (`last mlp`); of the
    whole graph the numbers of nodes and edges, its depth, the longest and the shortest way from a source, the width
    of the output's fan-in, and the logarithm of the number of ways. After Lukasik, Jung and Keuper 2024, Surprisingly
    Strong Performance Prediction with Neural Graph Features.
    """
    nodes, edges = _parts(architecture, live=live)
    blocks = [node.block for node in nodes]
    features = Counter(f"block {block}" for block in blocks)
    features.update(
        f"edge {blocks[at]} {block}" for block, inputs in zip(blocks, edges, strict=True) for _, at in inputs
    )
    features.update(f"last {blocks[at]}" for _, at in edges[-1])
    return {name: float(count) for name, count in features.items()} | _sizes(nodes) | _lengths(edges)


def _parts(architecture: Architecture, *, live: bool) -> tuple[list[Node], list[Edges]]:
    kept = live_nodes(architecture) if live else range(len(architecture.nodes))
    place = {old: new for new, old in enumerate(kept)}
    nodes = [architecture.nodes[old] for old in kept]
    edges = [tuple((node.port_of(at), place[source]) for at, source in enumerate(node.inputs)) for node in nodes]
    return nodes, edges


def _label(node: Node) -> str:
    options = {name: value for name, value in node.options.items() if name != "ports"}
    return json.dumps([node.block, options], sort_keys=True)


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=LABEL_BYTES).hexdigest()


def _sizes(nodes: Sequence[Node]) -> dict[str, float]:
    sizes: dict[str, float] = {}
    for node in nodes:
        for name, value in node.options.items():
            for number in value if isinstance(value, tuple) else (value,):
                if isinstance(number, int | float):
                    key = f"size {node.block} {name}"
                    sizes[key] = sizes.get(key, 0.0) + math.log2(1.0 + abs(number))
    return sizes


def _lengths(edges: Sequence[Edges]) -> dict[str, float]:
    longest: list[int] = []
    shortest: list[int] = []
    ways: list[int] = []
    for inputs in edges:
        sources = [at for _, at in inputs]
        longest.append(1 + max((longest[at] for at in sources), default=-1))
        shortest.append(1 + min((shortest[at] for at in sources), default=-1))
        ways.append(sum(ways[at] for at in sources) if sources else 1)
    used = set(chain.from_iterable((at for _, at in inputs) for inputs in edges[:-1]))
    return {
        "nodes": float(len(edges)),
        "edges": float(sum(map(len, edges))),
        "sources": float(sum(not inputs for inputs in edges)),
        "longest way": float(longest[-1]),
        "shortest way": float(shortest[-1]),
        "fan-in of the output": float(len(edges[-1])),
        "blocks for the output alone": float(len(edges) - 1 - len(used)),
        "log of ways": math.log2(ways[-1]),
    }
