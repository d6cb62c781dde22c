"""Drawings as pictures: what stands where, by the numbers in the SVG."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings

from searchspaces import Architecture, Node, Options, canonical, zoo, zoo_names
from searchspaces._drawing import NAME_SIZE, TEXT_SIZE, Box, draw, text_width
from searchspaces.graph import to_svg
from searchspaces.spaces.autoctr import AutoCTR
from tests.searchspaces.graphs import architectures, schema, with_output

SVG = "{http://www.w3.org/2000/svg}"
FIELDS = schema(numeric=3, categorical=4)
NUMBER = r"(-?[\d.]+)"
CURVE = re.compile(rf"M{NUMBER} {NUMBER}C.* {NUMBER} {NUMBER}$")


@dataclass(frozen=True)
class Area:
    left: float
    top: float
    right: float
    bottom: float

    def overlaps(self, other: Area) -> bool:
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def holds(self, other: Area, room: float = 0.0) -> bool:
        return (
            self.left + room <= other.left
            and other.right <= self.right - room
            and self.top <= other.top
            and other.bottom <= self.bottom
        )


def area_of_box(box: ElementTree.Element) -> Area:
    x, y, width, height = (float(box.attrib[name]) for name in ("x", "y", "width", "height"))
    return Area(x, y, x + width, y + height)


def area_of_text(text: ElementTree.Element) -> Area:
    style = text.get("class", "")
    size = NAME_SIZE if style == "name" else TEXT_SIZE
    width = text_width(text.text or "", size)
    x, base = float(text.attrib["x"]), float(text.attrib["y"])
    left = x if style == "port" else x - width / 2
    return Area(left, base - 0.8 * size, left + width, base + 0.25 * size)


def is_label(text: ElementTree.Element) -> bool:
    return text.get("class") in ("shape", "port")


def drawn(architecture: Architecture) -> ElementTree.Element:
    return ElementTree.fromstring(to_svg(architecture, FIELDS))


def subjects() -> list[Architecture]:
    rng = np.random.default_rng(4)
    found = [AutoCTR(FIELDS).sample(rng).architecture for _ in range(6)]
    found += [zoo(name, FIELDS).architecture for name in zoo_names()]
    return [one for one in found if one is not None]


@pytest.fixture(params=subjects(), ids=lambda one: f"{len(one.nodes)} nodes")
def architecture(request: pytest.FixtureRequest) -> Architecture:
    chosen: Architecture = request.param
    return chosen


def check_geometry(picture: ElementTree.Element) -> None:
    groups = list(picture.iter(f"{SVG}g"))
    boxes = [area_of_box(next(group.iter(f"{SVG}rect"))) for group in groups]
    for group, box in zip(groups, boxes, strict=True):
        assert all(box.holds(area_of_text(text), 4) for text in group.iter(f"{SVG}text") if not is_label(text))
    labels = [area_of_text(text) for text in picture.iter(f"{SVG}text") if is_label(text)]
    whole = Area(0, 0, float(picture.attrib["width"]) + 0.5, float(picture.attrib["height"]) + 0.5)
    assert all(whole.holds(area_of_text(text)) for text in picture.iter(f"{SVG}text"))
    for at, one in enumerate([*boxes, *labels]):
        assert not any(one.overlaps(other) for other in [*boxes, *labels][:at])


def test_boxes_and_labels_do_not_overlap_and_texts_stay_inside(architecture: Architecture) -> None:
    check_geometry(drawn(architecture))


@given(architectures())
@settings(max_examples=60, deadline=None)
def test_so_it_is_with_ports_and_double_edges(architecture: Architecture) -> None:
    check_geometry(ElementTree.fromstring(to_svg(architecture)))


def test_every_edge_runs_from_the_box_of_its_source_to_that_of_its_consumer(architecture: Architecture) -> None:
    picture, nodes = drawn(architecture), canonical(architecture).nodes
    boxes = [area_of_box(next(group.iter(f"{SVG}rect"))) for group in picture.iter(f"{SVG}g")]
    ends: dict[tuple[str, float], list[tuple[float, float]]] = {}
    for path in picture.iter(f"{SVG}path"):
        curve = CURVE.match(path.get("d", ""))
        if curve:
            ends.setdefault((curve[3], float(curve[4])), []).append((float(curve[1]), float(curve[2])))
    for node, box in zip(nodes, boxes, strict=True):
        arrows = [places for (x, y), places in ends.items() if y == box.top and box.left < float(x) < box.right]
        starts = [upward(picture, place) for places in arrows for place in places]
        middles = [((boxes[at].left + boxes[at].right) / 2, boxes[at].bottom) for at in sorted(set(node.inputs))]
        assert np.array(sorted(starts)) == pytest.approx(np.array(sorted(middles)), abs=0.11)


def upward(picture: ElementTree.Element, place: tuple[float, float]) -> tuple[float, float]:
    """From a place on an edge, through its bends, to the bottom of the box where it begins."""
    bends = [re.match(rf"M{NUMBER} {NUMBER}v{NUMBER}", path.get("d", "")) for path in picture.iter(f"{SVG}path")]
    tops = {(float(bend[1]), round(float(bend[2]) + float(bend[3]), 1)): bend[2] for bend in bends if bend}
    while place in tops:
        curves = [CURVE.match(path.get("d", "")) for path in picture.iter(f"{SVG}path")]
        [above] = [one for one in curves if one and (float(one[3]), one[4]) == (place[0], tops[place])]
        place = float(above[1]), float(above[2])
    return place


def test_no_edge_crosses_a_box(architecture: Architecture) -> None:
    picture = drawn(architecture)
    boxes = [area_of_box(next(group.iter(f"{SVG}rect"))) for group in picture.iter(f"{SVG}g")]
    for path in picture.iter(f"{SVG}path"):
        bend = re.match(rf"M{NUMBER} {NUMBER}v{NUMBER}", path.get("d", ""))
        if bend:
            x, top = float(bend[1]), float(bend[2])
            assert not any(Area(x, top, x, top + float(bend[3])).overlaps(box) for box in boxes)


def test_the_output_stands_alone_at_the_bottom(architecture: Architecture) -> None:
    boxes = [area_of_box(next(group.iter(f"{SVG}rect"))) for group in drawn(architecture).iter(f"{SVG}g")]
    assert all(box.bottom < boxes[-1].top for box in boxes[:-1])


def test_the_same_graph_gives_the_same_bytes(architecture: Architecture) -> None:
    assert to_svg(architecture, FIELDS) == to_svg(canonical(architecture), FIELDS)


def test_ports_and_repeated_inputs_stand_at_the_arrows() -> None:
    gate = Node("gate", (0, 1, 1), Options(ports=["gate", "value", "value"]))
    picture = to_svg(with_output(Node("numeric"), Node("mlp", (0,), Options(width=8)), gate, Node("sum", (2, 2))))
    labels = [text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text") if text.get("class") == "port"]
    assert sorted(map(str, labels)) == ["gate", "value, value", "\u00d72"]
    assert "ports" not in picture


def test_long_texts_are_cut_and_told_in_full_on_hovering() -> None:
    options = tuple(f"a_rather_long_option_{at} {at}" for at in range(9))
    picture = ElementTree.fromstring(draw([Box("b" * 90, options, ()), Box("logit", (), (0,))]))
    check_geometry(picture)
    [title, _] = [group.findtext(f"{SVG}title") for group in picture.iter(f"{SVG}g")]
    assert title == "b" * 90 + ": " + ", ".join(options)


def test_characters_that_xml_cannot_have_are_replaced() -> None:
    picture = draw([Box("a\x00\x1b\ud800", ("b\uffff",), ()), Box("logit", (), (0,))])
    assert "a\ufffd\ufffd\ufffd" in {text.text for text in ElementTree.fromstring(picture).iter(f"{SVG}text")}
    picture.encode("utf-8")
