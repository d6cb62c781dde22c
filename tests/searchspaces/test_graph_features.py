from __future__ import annotations

from collections import Counter

import networkx as nx
import numpy as np
import pytest

from searchspaces import Architecture, FeatureSchema, Field, Kind, Node, Options, canonical
from searchspaces.graph_features import graph_features, refined_labels
from searchspaces.spaces.autoctr import AutoCTR
from tests.searchspaces.graphs import with_a_dead_block

SCHEMA = FeatureSchema((Field("price", Kind.NUMERIC), *(Field(f"id{at}", Kind.CATEGORICAL, 9) for at in range(3))))
SPACE = AutoCTR(SCHEMA)


def sampled(seed: int) -> Architecture:
    architecture = SPACE.sample(np.random.default_rng(seed)).architecture
    assert architecture is not None
    return architecture


CHAIN = Architecture(
    (
        Node("numeric"),
        Node("mlp", (0,), Options(width=7)),
        Node("mlp", (0, 1), Options(width=31)),
        Node("logit", (1, 2)),
    )
)


def test_features_of_a_graph_counted_by_hand() -> None:
    assert graph_features(CHAIN) == {
        "block numeric": 1,
        "block mlp": 2,
        "block logit": 1,
        "edge numeric mlp": 2,
        "edge mlp mlp": 1,
        "edge mlp logit": 2,
        "last mlp": 2,
        "size mlp width": 3 + 5,
        "nodes": 4,
        "edges": 5,
        "sources": 1,
        "longest way": 3,
        "shortest way": 2,
        "fan-in of the output": 2,
        "blocks for the output alone": 1,
        "log of ways": pytest.approx(np.log2(3)),
    }


@pytest.mark.parametrize("seed", range(5))
def test_longest_ways_agree_with_networkx(seed: int) -> None:
    graph = sampled(seed)
    edges = [(source, at) for at, node in enumerate(graph.nodes) for source in node.inputs]
    assert graph_features(graph)["longest way"] == nx.dag_longest_path_length(nx.DiGraph(edges))


@pytest.mark.parametrize("seed", range(5))
def test_dead_blocks_change_nothing(seed: int) -> None:
    graph = sampled(seed)
    assert graph_features(with_a_dead_block(graph)) == graph_features(graph)
    for with_options in (True, False):
        assert refined_labels(with_a_dead_block(graph), 3, with_options=with_options) == refined_labels(
            graph, 3, with_options=with_options
        )


def test_a_graph_as_it_is_written_has_its_dead_blocks() -> None:
    dead = with_a_dead_block(sampled(0))
    assert graph_features(dead, live=False)["nodes"] == len(dead.nodes)
    assert [len(labels) for labels in refined_labels(dead, 2, with_options=True, live=False)] == [len(dead.nodes)] * 3


def test_isomorphic_graphs_have_equal_labels_and_features() -> None:
    other = Architecture(
        (
            Node("categorical", (), Options(dim=4)),
            Node("numeric"),
            Node("fm", (0,)),
            Node("mlp", (1,), Options(width=8)),
            Node("logit", (3, 2)),
        )
    )
    assert canonical(other) != other
    assert graph_features(other) == graph_features(canonical(other))
    assert [Counter(one) for one in refined_labels(other, 2, with_options=True)] == [
        Counter(one) for one in refined_labels(canonical(other), 2, with_options=True)
    ]


def test_a_label_is_the_sub_graph_below_a_node() -> None:
    labels = refined_labels(CHAIN, 2, with_options=False)
    assert labels[0] == ("numeric", "mlp", "mlp", "logit")
    assert labels[1][1] != labels[1][2]  # one takes the source alone, the other a block too
    assert labels[1][0] == refined_labels(with_a_dead_block(CHAIN), 1, with_options=False)[1][0]


def test_a_width_tells_nodes_apart_only_with_options() -> None:
    wide = Architecture((*CHAIN.nodes[:2], Node("mlp", (0, 1), Options(width=63)), CHAIN.nodes[3]))
    assert refined_labels(wide, 2, with_options=False) == refined_labels(CHAIN, 2, with_options=False)
    assert refined_labels(wide, 2, with_options=True)[2][3] != refined_labels(CHAIN, 2, with_options=True)[2][3]


def test_ports_tell_inputs_apart() -> None:
    def gated(ports: list[str]) -> Architecture:
        sources = (Node("numeric"), Node("categorical"))
        return Architecture((*sources, Node("mask", (0, 1), Options(ports=ports)), Node("logit", (2,))))

    one, other = (refined_labels(gated(ports), 1, with_options=False) for ports in (["a", "b"], ["b", "a"]))
    assert one[0] == other[0]
    assert one[1][2] != other[1][2]
