"""Graphs for networkx, and drawings for people."""

import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

import pytest

from searchspaces import Architecture, Node, Options, canonical, zoo, zoo_names
from searchspaces.cost import shapes
from searchspaces.graph import is_isomorphic, to_networkx, to_svg
from tests.searchspaces.graphs import schema, with_output

SVG = "{http://www.w3.org/2000/svg}"


def texts(drawing: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(drawing).iter(f"{SVG}text")]


def test_the_graph_has_the_live_nodes_and_edges() -> None:
    dead = Node("fm", (0,))
    graph = to_networkx(Architecture((Node("numeric"), Node("mlp", (0,)), dead, Node("logit", (0, 1)))))
    assert sorted(graph.edges) == [(0, 1), (0, 3), (1, 3)]


def test_double_edges_and_ports_are_kept() -> None:
    gate = Node("gate", (0, 0), Options(ports=["value", "gate"]))
    graph = to_networkx(with_output(Node("numeric"), gate))
    assert graph.edges[0, 1]["ports"] == ("gate", "value")


def test_an_option_tells_graphs_apart() -> None:
    narrow = with_output(Node("numeric"), Node("mlp", (0,), Options(width=32)))
    wide = with_output(Node("numeric"), Node("mlp", (0,), Options(width=64)))
    assert is_isomorphic(narrow, narrow)
    assert not is_isomorphic(narrow, wide)


@pytest.mark.parametrize("name", zoo_names())
def test_a_drawing_shows_blocks_shapes_and_shares(name: str) -> None:
    fields = schema(numeric=3, categorical=4)
    architecture = canonical(zoo(name, fields).architecture or with_output(Node("numeric")))
    written = texts(to_svg(architecture, fields))
    told = [*(node.block for node in architecture.nodes), *map(str, shapes(architecture, fields)[:-1])]
    assert not Counter(told) - Counter(written)
    assert sum("params" in text and "FLOPs" in text for text in written[:-1]) == len(architecture.nodes)
    assert written[-1].endswith("FLOPs per example")


def test_a_drawing_shows_options() -> None:
    architecture = zoo("dcnv2").architecture
    assert architecture is not None
    assert {"dim 16", "layers 2", "widths 256-128"} <= set(texts(to_svg(architecture)))


def test_the_shares_are_those_of_the_closed_form() -> None:
    # 3 * 8 + 8 = 32 parameters and 24 multiply-adds in the mlp, 9 and 8 in the logit.
    architecture = with_output(Node("numeric"), Node("mlp", (0,), Options(width=8)))
    written = texts(to_svg(architecture, schema(numeric=3, categorical=0)))
    assert "78% params, 75% FLOPs" in written
    assert "22% params, 25% FLOPs" in written
    assert "41 parameters, 64 FLOPs per example" in written


def test_every_edge_is_drawn_once() -> None:
    architecture = zoo("dcnv2").architecture
    assert architecture is not None
    drawing = ElementTree.fromstring(to_svg(architecture))
    assert sum(path.get("marker-end") is not None for path in drawing.iter(f"{SVG}path")) == 6


def test_a_long_edge_goes_around_the_blocks_between() -> None:
    chain = [Node("mlp", (at,), Options(width=8)) for at in range(3)]
    architecture = Architecture((Node("numeric"), *chain, Node("logit", (0, 3))))
    drawing = ElementTree.fromstring(to_svg(architecture))
    boxes = [box.attrib for box in drawing.iter(f"{SVG}rect") if box.get("class") == "box"]
    extent = {box["y"]: (float(box["x"]), float(box["x"]) + float(box["width"])) for box in boxes}
    bends = [re.match(r"M([\d.]+) ([\d.]+)v", path.get("d", "")) for path in drawing.iter(f"{SVG}path")]
    places = {bend[2]: float(bend[1]) for bend in bends if bend}
    assert len(places) == 3
    assert all(not extent[y][0] <= x <= extent[y][1] for y, x in places.items())


def test_text_is_escaped_and_nothing_runs_or_loads() -> None:
    evil = with_output(Node("numeric"), Node("<script>alert(1)</script>", (0,), Options({"a&b": '"<x>'})))
    drawing = to_svg(evil)
    assert "<script" not in drawing
    assert "http" not in drawing.replace("http://www.w3.org/2000/svg", "")
    assert {"<script>alert(1)</script>", 'a&b "<x>'} <= set(texts(drawing))


def test_options_read_like_words() -> None:
    options = Options(widths=[64, 16], bias=False)
    architecture = with_output(Node("numeric"), Node("mlp", (0,), options))
    assert "bias off, widths 64-16" in texts(to_svg(architecture))
