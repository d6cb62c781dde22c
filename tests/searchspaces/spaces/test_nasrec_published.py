"""The published winners as candidates, and back, against graphs drawn from their JSON alone."""

from typing import Any

import networkx as nx
import pytest

from searchspaces import Candidate, CandidateError, FeatureSchema, zoo
from searchspaces.cost import cost
from searchspaces.spaces.nasrec import NASRec, from_published, to_published
from tests.searchspaces.graphs import schema
from tests.searchspaces.spaces.nasrec_winners import MACS, WINNERS, published

SCHEMAS: dict[str, FeatureSchema] = {
    "criteo": schema(numeric=13, categorical=26),
    "avazu": schema(numeric=1, categorical=23),  # the authors put in a column of zeros
    "kdd12": schema(numeric=3, categorical=10),
}
LIVE = {
    "criteo_small": {1, 2, 3, 4, 5, 7},
    "criteo_full": {1, 2, 3, 7},
    "avazu_full": {1, 2, 3, 7},
    "kdd12_full": {1, 2, 3, 4, 5, 7},
}
"""Blocks that the output depends on, where not all do."""


class Drawing:
    """Halves and mergers of a published sub-network as a graph."""

    def __init__(self, content: dict[str, Any]) -> None:
        self.graph: nx.DiGraph[str] = nx.DiGraph()
        self.graph.add_nodes_from([("D0", {"label": "raw"}), ("S0", {"label": "raw"})])
        self.dense, self.fields = ["D0"], [["S0"]]
        self._is_full = content["config"] == "xlarge"
        for at, (micro, macro) in enumerate(zip(content["micro"], content["macro"], strict=True), start=1):
            self._add_halves(at, micro, macro)
            self._add_mergers(at, micro)
        self._add("output", "output", [self.dense[-1], *self.fields[-1]])

    def _add_halves(self, at: int, micro: dict[str, Any], macro: dict[str, list[int]]) -> None:
        operator, other = micro["active_nodes"]
        taken = [name for source in macro["sparse_idx"] for name in self.fields[source]]
        is_binary = self._is_full and operator in (2, 3)
        names = ("dense_left_idx", "dense_right_idx") if is_binary else ("dense_idx",)
        given = [self.dense[source] for name in names for source in macro[name]]
        ports = ("left", "right") if is_binary and operator == 2 else None
        self._add(f"D{at}", f"dense {operator} {micro['dense_in_dims']}", [*given, *taken * (operator == 1)], ports)
        self._add(f"S{at}", f"sparse {other} {micro['sparse_in_dims']}", taken)

    def _add_mergers(self, at: int, micro: dict[str, Any]) -> None:
        if micro["dense_sparse_interact"]:
            self._add(f"M{at}", "tokens", [f"D{at}"])
        if micro["deep_fm"]:
            self._add(f"A{at}", "added pairs", [f"D{at}", f"S{at}"])
        self.fields.append([f"S{at}", f"M{at}"] if micro["dense_sparse_interact"] else [f"S{at}"])
        self.dense.append(f"A{at}" if micro["deep_fm"] else f"D{at}")

    def _add(self, name: str, label: str, inputs: list[str], ports: tuple[str, str] | None = None) -> None:
        self.graph.add_node(name, label=label)
        for source in set(inputs):
            places = [at for at, one in enumerate(inputs) if one == source]
            self.graph.add_edge(source, name, ports=[ports[at] if ports else "" for at in places])


def drawn(content: dict[str, Any]) -> "nx.DiGraph[str]":
    """What the output of a published sub-network depends on."""
    graph = Drawing(content).graph
    return graph.subgraph({"output", *nx.ancestors(graph, "output")})


def blocks(graph: "nx.DiGraph[str]") -> set[int]:
    return {int(name[1:]) for name in graph if name[1:].isdigit()} - {0}


@pytest.mark.parametrize("name", WINNERS)
def test_a_winner_has_its_published_multiply_adds(name: str) -> None:
    architecture = from_published(published(name)).architecture
    assert architecture is not None
    assert cost(architecture, SCHEMAS[name.split("_")[0]]).macs == pytest.approx(MACS[name], rel=0.01)


def test_the_one_layer_more_is_that_from_39_tokens_to_39() -> None:
    # The published program leaves it out: 23 fields and 16 tokens happen to be as many as the pairs need.
    architecture = from_published(published("avazu_small")).architecture
    assert architecture is not None
    assert cost(architecture, SCHEMAS["avazu"]).macs - 39 * 39 * 16 == pytest.approx(MACS["avazu_small"], abs=500)


@pytest.mark.parametrize("name", WINNERS)
def test_a_winner_comes_back_as_the_same_json_without_its_dead_structure(name: str) -> None:
    given = published(name)
    back = to_published(from_published(given))
    one, other = drawn(given), drawn(back)
    same = nx.is_isomorphic(
        one,
        other,
        node_match=lambda left, right: left["label"] == right["label"],
        edge_match=lambda left, right: left["ports"] == right["ports"],
    )
    assert same
    assert {key: back[key] for key in ("use_layernorm", "config")} == {"use_layernorm": 1, "config": given["config"]}
    assert to_published(from_published(back)) == back
    assert from_published(back).fingerprint == from_published(given).fingerprint


@pytest.mark.parametrize("name", WINNERS)
def test_no_dead_block_is_given_back(name: str) -> None:
    assert blocks(drawn(published(name))) == LIVE.get(name, set(range(1, 8)))
    back = to_published(from_published(published(name)))
    assert blocks(drawn(back)) == set(range(1, back["num_blocks"] + 1))
    assert back["num_blocks"] <= len(blocks(drawn(published(name))))


@pytest.mark.parametrize("name", WINNERS)
def test_a_winner_is_a_point_of_its_variant(name: str) -> None:
    space = NASRec(SCHEMAS[name.split("_")[0]], variant=name.split("_")[1])
    winner = from_published(published(name))
    assert space.to_candidate(space.to_assignment(winner)).fingerprint == winner.fingerprint


@pytest.mark.parametrize("name", WINNERS)
def test_a_winner_is_in_the_zoo(name: str) -> None:
    assert zoo(f"nasrec_{name}").fingerprint == from_published(published(name)).fingerprint


def test_a_winner_of_the_full_variant_is_outside_the_small_one() -> None:
    with pytest.raises(
        CandidateError, match=r"operator' must be one of \['mlp', 'dot_product'\], but is 'sigmoid_gate'"
    ):
        NASRec(SCHEMAS["criteo"], variant="small").validate(from_published(published("criteo_full")))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"config": "xlarge-zeros"}, r"'config' .* must be one of \['autoctr', 'xlarge'\], but is 'xlarge-zeros'"),
        ({"macro": []}, "'micro' and 'macro' .* must be lists of one length, for each block"),
        ({"micro": [{}] * 7}, "a published sub-network of 'autoctr' must have other entries: KeyError"),
    ],
)
def test_another_json_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(CandidateError, match=message):
        from_published({**published("criteo_small"), **change})


def test_a_block_cannot_take_later_ones() -> None:
    content = published("criteo_small")
    content["macro"][1] = {**content["macro"][1], "sparse_idx": [2]}
    with pytest.raises(CandidateError, match=r"block 2 takes earlier ones, but has the indices \[2\]"):
        from_published(content)


def test_only_blocks_of_the_space_are_written() -> None:
    with pytest.raises(CandidateError, match="is no operator of this space"):
        to_published(Candidate(zoo("dcnv2").architecture))
