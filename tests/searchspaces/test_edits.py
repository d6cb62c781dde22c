from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from searchspaces import Architecture, Candidate, Node, Options, canonical
from searchspaces._edit_distance import match_nodes
from searchspaces.edits import edits_between
from searchspaces.spaces.dhen import DHEN
from tests.searchspaces.graphs import architectures, relabelled, schema

SOURCES = (Node("numeric"), Node("full", (), Options(dim=16)))


def mlp(*inputs: int, **options: Any) -> Node:
    return Node("mlp", inputs, Options({"width": 64, **options}))


def of(*nodes: Node) -> Candidate:
    return Candidate(Architecture((*SOURCES, *nodes)))


def logit(*inputs: int) -> Node:
    return Node("logit", inputs)


PARENT = of(mlp(0, 1), Node("fm", (1,)), logit(2, 3))
CASES = {
    "add cross": of(mlp(0, 1), Node("fm", (1,)), Node("cross", (2,)), logit(3, 4)),
    "drop fm": of(mlp(0, 1), logit(2)),
    "widen mlp": of(mlp(0, 1, width=128), Node("fm", (1,)), logit(2, 3)),
    "narrow mlp": of(mlp(0, 1, width=32), Node("fm", (1,)), logit(2, 3)),
    "set activation of mlp": of(mlp(0, 1, activation="none"), Node("fm", (1,)), logit(2, 3)),
    "replace fm by dot_product": of(mlp(0, 1), Node("dot_product", (1,)), logit(2, 3)),
    "rewire": of(mlp(0), Node("fm", (1,)), logit(2, 3)),
}


@pytest.mark.parametrize("kind", CASES)
def test_one_edit_is_told_by_its_kind(kind: str) -> None:
    assert [edit.kind for edit in edits_between(PARENT, CASES[kind])] == [kind]


def test_the_text_tells_sizes_and_wires() -> None:
    texts = {kind: edits_between(PARENT, child)[0].text for kind, child in CASES.items()}
    assert texts["widen mlp"] == "widen mlp: width 64 to 128"
    assert texts["set activation of mlp"] == "set mlp: activation unset to none"
    assert texts["rewire"].startswith("rewire: -full ")


def test_settings_of_training_are_edits_too() -> None:
    one, other = (Candidate(PARENT.architecture, Options(learning_rate=rate)) for rate in (0.1, 0.2))
    [edit] = edits_between(one, other)
    assert (edit.kind, edit.text) == ("set training learning_rate", "set training learning_rate: 0.1 to 0.2")


def test_modules_inside_a_block_are_told_by_name() -> None:
    def layer(*modules: Any) -> Candidate:
        return of(Node("dhen", (0, 1), Options(modules=modules)), logit(2))

    small, large = ["cross", [["layers", 1]]], ["cross", [["layers", 3]]]
    changes = {
        "widen cross of dhen": layer("dot_product", large),
        "drop dot_product of dhen": layer(small),
        "add linear to dhen": layer("dot_product", small, "linear"),
        "set kind of cross of dhen": layer("dot_product", ["cross", [["layers", 1], ["kind", "full"]]]),
    }
    for kind, child in changes.items():
        assert [edit.kind for edit in edits_between(layer("dot_product", small), child)] == [kind]


@given(architectures(), architectures())
@settings(max_examples=40, deadline=None)
def test_equal_graphs_have_no_edits_and_others_have_some(one: Architecture, other: Architecture) -> None:
    left, right = Candidate(one), Candidate(other)
    assert bool(edits_between(left, right)) == (left.fingerprint != right.fingerprint)
    assert edits_between(left, Candidate(relabelled(one, 5))) == ()


@given(architectures(), architectures())
@settings(max_examples=20, deadline=None)
def test_no_two_nodes_become_the_same_and_the_output_stays(one: Architecture, other: Architecture) -> None:
    left, right = canonical(one), canonical(other)
    became = match_nodes(left, right, steps=20)
    images = [image for image in became if image is not None]
    assert len(became) == len(left.nodes)
    assert len(set(images)) == len(images)
    assert became[-1] == len(right.nodes) - 1


def test_what_a_mutation_of_a_real_space_does_is_told() -> None:
    space, rng = DHEN(schema()), np.random.default_rng(0)
    for _ in range(4):
        parent = space.sample(rng)
        assert edits_between(parent, space.mutate(parent, rng))
