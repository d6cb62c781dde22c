"""Random architectures and isomorphic copies of them, for property tests."""

from __future__ import annotations

import random
from collections.abc import Callable

from hypothesis import strategies as st

from searchspaces import Architecture, FeatureSchema, Field, Kind, Node, Options


def schema(*, numeric: int = 3, categorical: int = 4, vocabulary: int = 11) -> FeatureSchema:
    """Numeric fields n0, n1, ... and categorical fields c0, c1, ..."""
    dense = [Field(f"n{index}", Kind.NUMERIC, mean=0.5, std=2.0) for index in range(numeric)]
    sparse = [Field(f"c{index}", Kind.CATEGORICAL, vocabulary + index) for index in range(categorical)]
    return FeatureSchema((*dense, *sparse))


def with_output(*nodes: Node) -> Architecture:
    """The nodes, and a logit on the last of them."""
    return Architecture((*nodes, Node("logit", (len(nodes) - 1,))))


@st.composite
def architectures(draw: Callable[..., int], *, most_blocks: int = 5) -> Architecture:
    """Small graphs of few labels, so that symmetry, dead blocks, ports and double edges are common."""
    nodes = [Node("full", (), Options(dim=draw(st.integers(1, 2)))) for _ in range(draw(st.integers(1, 2)))]
    for _ in range(draw(st.integers(1, most_blocks))):
        inputs = tuple(draw(st.lists(st.integers(0, len(nodes) - 1), min_size=1, max_size=3)))  # type: ignore[arg-type, var-annotated]
        options: dict[str, object] = {"width": draw(st.sampled_from([32, 64]))}
        if draw(st.booleans()):
            options["ports"] = [draw(st.sampled_from(["value", "gate"])) for _ in inputs]
        nodes.append(Node("mlp", inputs, Options(options)))
    taken = tuple(draw(st.sets(st.integers(0, len(nodes) - 1), min_size=1)))  # type: ignore[arg-type, var-annotated]
    return Architecture((*nodes, Node("logit", taken)))


def relabelled(architecture: Architecture, seed: int) -> Architecture:
    """An isomorphic copy: nodes in another topological order, inputs in another order."""
    rng = random.Random(seed)
    waiting = list(range(len(architecture.nodes) - 1))
    place: dict[int, int] = {}
    nodes: list[Node] = []
    while waiting:
        ready = [index for index in waiting if all(source in place for source in architecture.nodes[index].inputs)]
        chosen = rng.choice(ready)
        waiting.remove(chosen)
        place[chosen] = len(nodes)
        nodes.append(_shuffled(architecture.nodes[chosen], place, rng))
    return Architecture((*nodes, _shuffled(architecture.nodes[-1], place, rng)))


def _shuffled(node: Node, place: dict[int, int], rng: random.Random) -> Node:
    order = rng.sample(range(len(node.inputs)), len(node.inputs))
    options: dict[str, object] = dict(node.options)
    if "ports" in options:
        options["ports"] = [node.port_of(at) for at in order]
    return Node(node.block, tuple(place[node.inputs[at]] for at in order), Options(options))


def with_a_dead_block(graph: Architecture) -> Architecture:
    """The graph with one more block, which nothing takes."""
    *body, output = graph.nodes
    return Architecture((*body, Node("mlp", (0,), Options(width=7)), output))
