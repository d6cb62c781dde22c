"""Draws a layered graph as SVG text.

Layers by longest path; an edge that crosses a layer gets a bend in it, shared by all edges of one
source; order within a layer by the mean place of the neighbours (Sugiyama, Tagawa and Toda 1981, Methods
for visual understanding of hierarchical system structures). Units: pixels.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from html import escape

BOX_WIDTH, BOX_HEIGHT, LINE_HEIGHT = 188, 64, 18
BEND_WIDTH, GAP, LAYER_GAP, MARGIN = 20, 24, 64, 20
SWEEPS = 8
FILLS = {
    "numeric": "#e5e7eb",
    "full": "#e5e7eb",
    "mlp": "#dbeafe",
    "linear": "#cffafe",
    "fm": "#dcfce7",
    "dot_product": "#fef3c7",
    "cross": "#fce7f3",
    "sum": "#ffedd5",
    "logit": "#ede9fe",
    "sum_logit": "#ede9fe",
}
OTHER_FILL = "#f5f5f4"
STYLE = (  # each selector names the drawing, since an inline style reaches the whole page
    ".architecture text{font:12px system-ui,sans-serif;fill:#1f2937;text-anchor:middle}"
    ".architecture .name{font-weight:600;font-size:14px}"
    ".architecture .shape{text-anchor:start;fill:#4b5563;stroke:#fff;stroke-width:3px;paint-order:stroke}"
    ".architecture .edge{fill:none;stroke:#6b7280;stroke-width:1.4}.architecture .box{stroke:#6b7280}"
)


@dataclass(frozen=True)
class Box:
    """A node to draw: what is written in it, where its edges come from and what its own edges carry."""

    name: str
    options: str
    inputs: tuple[int, ...]
    share: str = ""
    shape: str = ""


@dataclass(eq=False)
class _Place:
    """A box, or the bend of a long edge, in its layer; `x` is its middle and `y` its top."""

    layer: int
    width: int = BEND_WIDTH
    x: float = 0.0
    above: list[_Place] = field(default_factory=list)
    below: list[_Place] = field(default_factory=list)

    @property
    def y(self) -> int:
        return MARGIN + self.layer * (BOX_HEIGHT + LAYER_GAP)


def draw(boxes: Sequence[Box], *, caption: str = "") -> str:
    """One `svg` element; boxes come in topological order, and the last one stands at the bottom."""
    places, layers = _placed(boxes)
    _arrange(layers)
    width = max(place.x + place.width / 2 for layer in layers for place in layer) + MARGIN
    height = layers[-1][0].y + BOX_HEIGHT + MARGIN + (LINE_HEIGHT if caption else 0)
    edges = [_edges_into(place) for layer in layers for place in layer]
    drawn = [_box(box, place) for box, place in zip(boxes, places, strict=True)]
    note = _text(width / 2, height - MARGIN + 4, caption)
    return "\n".join([_opening(boxes, width, height), *edges, *drawn, note, "</svg>"])


def _placed(boxes: Sequence[Box]) -> tuple[list[_Place], list[list[_Place]]]:
    """A place per box, and all layers with boxes and bends, linked to their neighbours."""
    places: list[_Place] = []
    for box in boxes:
        depth = 1 + max((places[source].layer for source in box.inputs), default=-1)
        places.append(_Place(depth, BOX_WIDTH))
    layers: list[list[_Place]] = [[] for _ in range(places[-1].layer + 1)]
    for place in places:
        layers[place.layer].append(place)
    tails = {source: [place] for source, place in enumerate(places)}
    for box, place in zip(boxes, places, strict=True):
        for source in sorted(set(box.inputs)):
            _link(_bent(tails[source], place.layer, layers), place)
    return places, layers


def _bent(tail: list[_Place], layer: int, layers: list[list[_Place]]) -> _Place:
    """The place just above `layer` on the way from a source; bends are added as far as needed."""
    while tail[-1].layer < layer - 1:
        bend = _Place(tail[-1].layer + 1)
        layers[bend.layer].append(bend)
        _link(tail[-1], bend)
        tail.append(bend)
    return tail[layer - 1 - tail[0].layer]


def _link(upper: _Place, lower: _Place) -> None:
    upper.below.append(lower)
    lower.above.append(upper)


def _arrange(layers: list[list[_Place]]) -> None:
    for layer in layers:
        _pack(layer, lambda place: place.x)
    for sweep in range(SWEEPS):
        for layer in layers if sweep % 2 == 0 else reversed(layers):
            layer.sort(key=_middle_of_neighbours)
            _pack(layer, _middle_of_neighbours)
    left = min(place.x - place.width / 2 for layer in layers for place in layer)
    for layer in layers:
        for place in layer:
            place.x += MARGIN - left


def _middle_of_neighbours(place: _Place) -> float:
    neighbours = place.above + place.below
    return sum(one.x for one in neighbours) / len(neighbours) if neighbours else place.x


def _pack(layer: list[_Place], wish: Callable[[_Place], float]) -> None:
    """Puts each place as near to its wish as those before it allow, then shifts all by the mean miss."""
    wishes = [wish(place) for place in layer]
    edge = float("-inf")
    for place, wished in zip(layer, wishes, strict=True):
        place.x = max(wished, edge + GAP + place.width / 2)
        edge = place.x + place.width / 2
    shift = sum(wished - place.x for place, wished in zip(layer, wishes, strict=True)) / len(layer)
    for place in layer:
        place.x += shift


def _edges_into(place: _Place) -> str:
    is_bend = place.width == BEND_WIDTH
    lines = [f'<path class="edge" d="M{place.x:.1f} {place.y}v{BOX_HEIGHT}"/>'] if is_bend else []
    uppers = sorted(place.above, key=lambda one: one.x)
    step = 0 if is_bend else min(36.0, 0.7 * place.width / max(1, len(uppers)))
    for at, upper in enumerate(uppers):
        end = place.x + (at - (len(uppers) - 1) / 2) * step
        top, middle = upper.y + BOX_HEIGHT, place.y - LAYER_GAP / 2
        curve = f"M{upper.x:.1f} {top}C{upper.x:.1f} {middle} {end:.1f} {middle} {end:.1f} {place.y}"
        arrow = "" if is_bend else ' marker-end="url(#arrow)"'
        lines.append(f'<path class="edge" d="{curve}"{arrow}/>')
    return "\n".join(lines)


def _box(box: Box, place: _Place) -> str:
    lines = [line for line in (box.name, box.options, box.share) if line]
    first = place.y + BOX_HEIGHT / 2 - (len(lines) - 1) * LINE_HEIGHT / 2 + 4
    written = [
        _text(place.x, first + at * LINE_HEIGHT, line, style="name" if at == 0 else "") for at, line in enumerate(lines)
    ]
    shape = _text(place.x + 6, place.y + BOX_HEIGHT + 14, box.shape, style="shape") if place.below else ""
    outline = (
        f'<rect class="box" x="{place.x - BOX_WIDTH / 2:.1f}" y="{place.y}" width="{BOX_WIDTH}" '
        f'height="{BOX_HEIGHT}" rx="8" fill="{FILLS.get(box.name, OTHER_FILL)}"/>'
    )
    return "\n".join(["<g>", outline, *written, shape, "</g>"])


def _text(x: float, y: float, text: str, *, style: str = "") -> str:
    if not text:
        return ""
    chosen = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{chosen}>{escape(text)}</text>'


def _opening(boxes: Sequence[Box], width: float, height: float) -> str:
    title = escape(f"architecture of {len(boxes)} blocks ending in {boxes[-1].name}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="architecture" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}" '
        f'style="max-width:100%;height:auto">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#6b7280"/></marker></defs>\n'
        '<rect width="100%" height="100%" fill="#fff"/>'
    )
