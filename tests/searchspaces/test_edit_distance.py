"""Edit distances against networkx, and what a distance promises."""

import itertools
from typing import Any

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from searchspaces import Architecture, Node, Options, canonical, zoo
from searchspaces._edit_distance import replacement_cost
from searchspaces.graph import edit_distance, is_isomorphic, to_networkx
from searchspaces.spaces.autoctr import AutoCTR
from tests.searchspaces.graphs import architectures, relabelled, schema, with_output

SMALL = architectures(most_blocks=3)


def mlp(*inputs: int, **options: object) -> Node:
    return Node("mlp", inputs, Options(options))


def exact(one: Architecture, other: Architecture) -> float:
    found = edit_distance(one, other)
    assert found.is_exact
    return found.lower


def by_networkx(one: Architecture, other: Architecture) -> float:
    """The definition once more, over another search."""

    def ports_unlike(left: dict[str, Any], right: dict[str, Any]) -> int:
        kept = sum(min(left["ports"].count(port), right["ports"].count(port)) for port in set(left["ports"]))
        return int(max(len(left["ports"]), len(right["ports"])) - kept)

    one, other = canonical(one), canonical(other)
    graphs = [to_networkx(one), to_networkx(other)]
    for graph, architecture in zip(graphs, (one, other), strict=True):
        nx.set_node_attributes(graph, dict(enumerate(architecture.nodes)), "node")
    return float(
        nx.graph_edit_distance(
            graphs[0],
            graphs[1],
            node_subst_cost=lambda left, right: replacement_cost(left["node"], right["node"]),
            node_del_cost=lambda _: 1,
            node_ins_cost=lambda _: 1,
            edge_subst_cost=ports_unlike,
            edge_del_cost=lambda edge: len(edge["ports"]),
            edge_ins_cost=lambda edge: len(edge["ports"]),
            roots=(len(one.nodes) - 1, len(other.nodes) - 1),
        )
    )


@given(SMALL, SMALL)
@settings(max_examples=40, deadline=None)
def test_the_distance_is_that_of_networkx(one: Architecture, other: Architecture) -> None:
    assert exact(one, other) == pytest.approx(by_networkx(one, other))


@given(architectures(), architectures())
@settings(max_examples=60, deadline=None)
def test_it_is_zero_exactly_for_isomorphic_graphs_and_symmetric(one: Architecture, other: Architecture) -> None:
    there = edit_distance(one, other)
    assert there == edit_distance(other, one)
    assert (there.upper == 0) == is_isomorphic(one, other)


@given(SMALL, SMALL, SMALL)
@settings(max_examples=40, deadline=None)
def test_a_detour_is_never_shorter(one: Architecture, other: Architecture, third: Architecture) -> None:
    assert exact(one, third) <= exact(one, other) + exact(other, third) + 1e-9


@given(architectures(), architectures(), st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_few_steps_give_bounds_around_the_distance(one: Architecture, other: Architecture, steps: int) -> None:
    bounds = edit_distance(one, other, steps=steps)
    assert bounds.lower - 1e-9 <= exact(one, other) <= bounds.upper + 1e-9


def test_each_edit_has_its_cost() -> None:
    start = (Node("numeric"), Node("full", (), Options(dim=4)))
    plain = with_output(*start, mlp(0, 1, width=32))
    assert exact(plain, with_output(*start, mlp(0, 1, width=64))) == 0.5
    assert exact(plain, with_output(*start, Node("fm", (0, 1)))) == 1
    assert exact(plain, with_output(*start, mlp(0, 1, 1, width=32))) == 1
    assert (
        exact(plain, with_output(*start, mlp(0, 1, width=32), mlp(2, width=32))) == 4
    )  # it, its edge, and the logit's, gone and come


def test_a_changed_option_costs_by_its_share() -> None:
    one = Node("mlp", (0,), Options(width=32, norm="layer", bias=True))
    assert replacement_cost(one, Node("mlp", (3,), one.options)) == 0
    assert replacement_cost(one, mlp(0, width=64, norm="layer", bias=True)) == 0.5 * 2 / 4
    assert replacement_cost(one, mlp(0, width=32, norm="layer")) == 0.5 * 1 / 3
    assert replacement_cost(one, Node("fm", (0,), one.options)) == 1


def test_a_port_that_changes_sides_costs_one_for_each_edge() -> None:
    start = (Node("numeric"), mlp(0, width=32), mlp(0, width=64))
    gates = [with_output(*start, Node("gate", pair, Options(ports=["value", "gate"]))) for pair in ((1, 2), (2, 1))]
    assert exact(*gates) == 1  # the two mlps swap their widths at a half each, which is less than two ports


def test_dead_blocks_and_the_order_of_nodes_do_not_count() -> None:
    lean = with_output(Node("numeric"), mlp(0, width=32))
    dead = Architecture((Node("numeric"), mlp(0, width=8), mlp(0, width=32), Node("logit", (2,))))
    assert exact(lean, dead) == 0


def test_candidates_of_seven_blocks_are_told_exactly() -> None:
    space, rng = AutoCTR(schema()), np.random.default_rng(3)
    drawn = [space.sample(rng).architecture for _ in range(4)]
    for one, other in itertools.combinations([one for one in drawn if one], 2):
        assert edit_distance(one, other).is_exact


def test_large_graphs_have_bounds_that_are_true() -> None:
    long = [Node("numeric"), *(mlp(at, max(0, at - 3), width=32 + at % 5) for at in range(39))]
    one = with_output(*long)
    other = with_output(*(Node("fm", node.inputs) if at % 13 == 5 else node for at, node in enumerate(long)))
    bounds = edit_distance(one, relabelled(other, 1), steps=20)
    assert bounds.lower <= 3 <= bounds.upper  # three blocks were replaced


def test_the_zoo_is_ordered_as_one_expects() -> None:
    deepfm, wide, dlrm = (zoo(name).architecture for name in ("deepfm", "wide_and_deep", "dlrm"))
    assert deepfm
    assert wide
    assert dlrm
    assert exact(deepfm, wide) < exact(deepfm, dlrm)
