"""Places the boxes of a layered graph, so that none overlap and no edge runs through one.

Layers by longest path; an edge that crosses a layer gets a bend in it, shared by all edges of one
source; order within a layer by the mean place of the neighbours (Sugiyama, Tagawa and Toda 1981, Methods
for visual understanding of hierarchical system structures). Units: pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

BEND_WIDTH, GAP, LAYER_GAP, MARGIN = 20.0, 24.0, 68.0, 20.0
SWEEPS = 12


@dataclass(eq=False)
class Place:
    """A box, or the bend of a long edge, in its layer; `x` is its middle, `top` and `height` its layer's."""

    layer: int
    width: float = BEND_WIDTH
    is_bend: bool = False
    x: float = 0.0
    top: float = 0.0
    height: float = 0.0
    above: list[Place] = field(default_factory=list)
    below: list[Place] = field(default_factory=list)

    @property
    def bottom(self) -> float:
        """Where its edges begin."""
        return self.top + self.height


@dataclass(frozen=True)
class Layout:
    """The place of each box, and all places, bends among them, from the top layer down, from left to right."""

    boxes: tuple[Place, ...]
    places: tuple[Place, ...]
    width: float
    height: float


def lay_out(sizes: Sequence[tuple[float, float]], inputs: Sequence[Sequence[int]], *, least_width: float = 0) -> Layout:
    """Boxes of these widths and heights, in topological order; the last one stands alone at the bottom.

    The links of a place to those above it follow its inputs, each source once, ascending.
    """
    boxes, layers = _layered([width for width, _ in sizes], inputs)
    _arrange(layers)
    _stack(layers, [height for _, height in sizes], boxes)
    places = tuple(place for layer in layers for place in layer)
    left = min(place.x - place.width / 2 for place in places)
    right = max(place.x + place.width / 2 for place in places)
    width = max(right - left, least_width) + 2 * MARGIN
    for place in places:
        place.x += (width - left - right) / 2
    return Layout(tuple(boxes), places, width, layers[-1][0].bottom + MARGIN)


def _layered(widths: Sequence[float], inputs: Sequence[Sequence[int]]) -> tuple[list[Place], list[list[Place]]]:
    """A place per box, and all layers with boxes and bends, linked to their neighbours."""
    boxes: list[Place] = []
    for width, sources in zip(widths, inputs, strict=True):
        boxes.append(Place(1 + max((boxes[source].layer for source in sources), default=-1), width))
    layers: list[list[Place]] = [[] for _ in range(boxes[-1].layer + 1)]
    for place in boxes:
        layers[place.layer].append(place)
    tails = {source: [place] for source, place in enumerate(boxes)}
    for sources, place in zip(inputs, boxes, strict=True):
        for source in sorted(set(sources)):
            _link(_bent(tails[source], place.layer, layers), place)
    return boxes, layers


def _bent(tail: list[Place], layer: int, layers: list[list[Place]]) -> Place:
    """The place just above `layer` on the way from a source; bends are added as far as needed."""
    while tail[-1].layer < layer - 1:
        bend = Place(tail[-1].layer + 1, is_bend=True)
        layers[bend.layer].append(bend)
        _link(tail[-1], bend)
        tail.append(bend)
    return tail[layer - 1 - tail[0].layer]


def _link(upper: Place, lower: Place) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _arrange(layers: list[list[Place]]) -> None:
    for layer in layers:
        _pack(layer, lambda place: place.x)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=_middle_of_neighbours)
            _pack(layer, _middle_of_neighbours)


def _middle_of_neighbours(place: Place) -> float:
    neighbours = place.above + place.below
    return sum(one.x for one in neighbours) / len(neighbours) if neighbours else place.x


def _pack(layer: list[Place], wish: Callable[[Place], float]) -> None:
    """Puts each place as near to its wish as those before it allow, then shifts all by the mean miss."""
    wishes = [wish(place) for place in layer]
    edge = float("-inf")
    for place, wished in zip(layer, wishes, strict=True):
        place.x = max(wished, edge + GAP + place.width / 2)
        edge = place.x + place.width / 2
    shift = sum(wished - place.x for place, wished in zip(layer, wishes, strict=True)) / len(layer)
    for place in layer:
        place.x += shift


def _stack(layers: list[list[Place]], heights: Sequence[float], boxes: Sequence[Place]) -> None:
    """Gives each layer the height of its tallest box."""
    tallest = [0.0] * len(layers)
    for place, height in zip(boxes, heights, strict=True):
        tallest[place.layer] = max(tallest[place.layer], height)
    top = MARGIN
    for layer, height in zip(layers, tallest, strict=True):
        for place in layer:
            place.top, place.height = top, height
        top += height + LAYER_GAP
