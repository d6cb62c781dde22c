"""Draws an architecture as SVG text that a person can read: boxes with their options, shapes on the edges.

The fonts of the reader are not known here, so texts are measured by generous widths and cut to fit. Units: pixels.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from zlib import crc32

from searchspaces._layout import MARGIN, Layout, Place, lay_out

LINE_HEIGHT, PADDING, LEAST_WIDTH, MOST_WIDTH = 18.0, 12.0, 132.0, 252.0
NAME_SIZE, TEXT_SIZE = 14, 12
MOST_OPTION_LINES = 3
MOST_STEP, SHARE_OF_ENDS = 36.0, 0.8
"""Between the ends of two edges at one box without labels, and of all ends in its width."""

SOURCE_FILL, OUTPUT_FILL = "#e5e7eb", "#ede9fe"
FILLS = {
    "mlp": "#dbeafe",
    "linear": "#cffafe",
    "fm": "#dcfce7",
    "dot_product": "#fef3c7",
    "cross": "#fce7f3",
    "sum": "#ffedd5",
}
OTHER_FILLS = ("#dbeafe", "#cffafe", "#dcfce7", "#fef3c7", "#fce7f3", "#ffedd5", "#fee2e2", "#ecfccb")
STYLE = (  # each selector names the drawing, since an inline style reaches the whole page
    ".architecture text{font:12px Helvetica,Arial,sans-serif;fill:#1f2937;text-anchor:middle}"
    ".architecture .name{font-weight:600;font-size:14px}.architecture .share{fill:#4b5563}"
    ".architecture .shape{fill:#4b5563}.architecture .port{text-anchor:start;fill:#4b5563;font-style:italic;"
    "stroke:#fff;stroke-width:3px;paint-order:stroke}"
    ".architecture .edge{fill:none;stroke:#6b7280;stroke-width:1.4}.architecture .box{stroke:#6b7280}"
)

_NARROW, _WIDE = frozenset("fijlrt.,:;|!'()[]{} -1"), frozenset("mwMW%@")
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Box:
    """A node to draw: what is written in it, where its edges come from and what its own edges carry.

    `ports` has the role of each input; it is empty where inputs are interchangeable.
    """

    name: str
    options: tuple[str, ...]
    inputs: tuple[int, ...]
    ports: tuple[str, ...] = ()
    share: str = ""
    shape: str = ""


@dataclass(frozen=True)
class _Written:
    """The texts of a box, cut to fit, and the labels at the ends of its edges, one for each source."""

    box: Box
    fill: str
    lines: tuple[str, ...]
    entries: tuple[str, ...]

    @property
    def width(self) -> float:
        """Of its widest text and the room around it, and of what stands above and below it."""
        texts = [text_width(self.lines[0], NAME_SIZE), *map(text_width, (*self.lines[1:], self.box.share))]
        inside = max(*texts, text_width(self.box.shape))
        labels = (len(self.entries) + 1) * self._label_step  # each stands to the right of its edge
        return max(LEAST_WIDTH, inside + 2 * PADDING, labels)

    @property
    def step(self) -> float:
        """From one edge's end to the next."""
        return self._label_step or min(MOST_STEP, SHARE_OF_ENDS * self.width / max(1, len(self.entries)))

    @property
    def height(self) -> float:
        """Of its lines and the room around them."""
        return LINE_HEIGHT * (len(self.lines) + bool(self.box.share)) + 10

    @property
    def _label_step(self) -> float:
        widest = max(map(text_width, self.entries), default=0.0)
        return widest + 16 if widest else 0.0


def draw(boxes: Sequence[Box], *, caption: str = "") -> str:
    """One `svg` element; boxes come in topological order, and the last one stands at the bottom."""
    written = [_write(box, is_last=at == len(boxes) - 1) for at, box in enumerate(boxes)]
    sizes = [(one.width, one.height) for one in written]
    layout = lay_out(sizes, [box.inputs for box in boxes], least_width=text_width(caption))
    owner = {id(place): one for place, one in zip(layout.boxes, written, strict=True)}
    edges = [_edges_into(place, owner.get(id(place))) for place in layout.places]
    drawn = [_box(one, place) for one, place in zip(written, layout.boxes, strict=True)]
    height = layout.height + (LINE_HEIGHT if caption else 0)
    note = _text(layout.width / 2, height - MARGIN + 4, caption)
    return "\n".join(part for part in (_opening(boxes, layout, height), *edges, *drawn, note, "</svg>") if part)


def text_width(text: str, size: int = TEXT_SIZE) -> float:
    """At most so wide is the text in common fonts, bold ones included at the size of a name."""
    ems = sum(0.42 if one in _NARROW else 1.0 if one in _WIDE or ord(one) > 0x2FF else 0.65 for one in text)
    return ems * size * (1.08 if size == NAME_SIZE else 1.0)


def _write(box: Box, *, is_last: bool) -> _Written:
    room = MOST_WIDTH - 2 * PADDING
    lines = _wrapped([_cut(one, room) for one in box.options], room)
    if len(lines) > MOST_OPTION_LINES:
        lines = [*lines[: MOST_OPTION_LINES - 1], _cut(lines[MOST_OPTION_LINES - 1] + " \u2026", room)]
    fill = SOURCE_FILL if not box.inputs else OUTPUT_FILL if is_last else _fill(box.name)
    return _Written(box, fill, (_cut(box.name, room, NAME_SIZE), *lines), _entries(box))


def _fill(name: str) -> str:
    """Of a block: the same in every drawing."""
    return FILLS.get(name, OTHER_FILLS[crc32(name.encode("utf-8", "replace")) % len(OTHER_FILLS)])


def _entries(box: Box) -> tuple[str, ...]:
    """What stands at the end of the edges from each source: their ports, or how many edges it is."""
    if box.ports:
        told = [sorted(port for at, port in zip(box.inputs, box.ports, strict=True) if at == source)
                for source in sorted(set(box.inputs))]  # fmt: skip
        return tuple(_cut(", ".join(ports), MOST_WIDTH / 2) for ports in told)
    times = Counter(box.inputs)
    return tuple(f"\u00d7{times[source]}" if times[source] > 1 else "" for source in sorted(times))


def _wrapped(parts: Sequence[str], room: float) -> list[str]:
    lines: list[str] = []
    for part in parts:
        if lines and text_width(f"{lines[-1]}, {part}") <= room:
            lines[-1] += f", {part}"
        else:
            lines.append(part)
    return lines


def _cut(text: str, room: float, size: int = TEXT_SIZE) -> str:
    text = " ".join(text.split())
    if text_width(text, size) <= room:
        return text
    while text_width(f"{text}\u2026", size) > room:
        text = text[:-1]
    return f"{text.rstrip()}\u2026"


def _edges_into(place: Place, written: _Written | None) -> str:
    if written is None:
        lines = [f'<path class="edge" d="M{place.x:.1f} {place.top:.1f}v{place.height:.1f}"/>']
        return "\n".join([*lines, *(_edge(upper, place.x, place, is_last=False) for upper in place.above)])
    labels = dict(zip(map(id, place.above), written.entries, strict=True))
    uppers = sorted(place.above, key=lambda one: one.x)
    lines = []
    for at, upper in enumerate(uppers):
        end = place.x + (at - (len(uppers) - 1) / 2) * written.step
        lines.append(_edge(upper, end, place, is_last=True))
        lines.append(_text(end + 8, place.top - 6, labels[id(upper)], style="port"))
    return "\n".join(line for line in lines if line)


def _edge(upper: Place, end: float, lower: Place, *, is_last: bool) -> str:
    middle = (upper.bottom + lower.top) / 2
    curve = (
        f"M{upper.x:.1f} {upper.bottom:.1f}C{upper.x:.1f} {middle:.1f} {end:.1f} {middle:.1f} {end:.1f} {lower.top:.1f}"
    )
    arrow = ' marker-end="url(#arrow)"' if is_last else ""
    return f'<path class="edge" d="{curve}"{arrow}/>'


def _box(written: _Written, place: Place) -> str:
    box = written.box
    lines = [(line, "name" if at == 0 else "") for at, line in enumerate(written.lines)]
    lines += [(box.share, "share")] if box.share else []
    first = place.top + place.height / 2 - (len(lines) - 1) * LINE_HEIGHT / 2 + 4
    texts = [_text(place.x, first + at * LINE_HEIGHT, line, style=style) for at, (line, style) in enumerate(lines)]
    outline = (
        f'<rect class="box" x="{place.x - place.width / 2:.1f}" y="{place.top:.1f}" width="{place.width:.1f}" '
        f'height="{place.height:.1f}" rx="8" fill="{written.fill}"/>'
    )
    shape = _shape(box.shape, place) if box.shape and place.below else ""
    whole = f"<title>{_escaped(': '.join(filter(None, (box.name, ', '.join(box.options)))))}</title>"
    return "\n".join(part for part in ("<g>", whole, outline, *texts, shape, "</g>") if part)


def _shape(shape: str, place: Place) -> str:
    """On a white ground, so that the edges that begin here come out from under it."""
    width = text_width(shape) + 4
    ground = (
        f'<rect x="{place.x - width / 2:.1f}" y="{place.bottom + 6:.1f}" width="{width:.1f}" '
        f'height="{LINE_HEIGHT - 2:.1f}" rx="4" fill="#fff"/>'
    )
    return f"{ground}\n{_text(place.x, place.bottom + LINE_HEIGHT, shape, style='shape')}"


def _text(x: float, y: float, text: str, *, style: str = "") -> str:
    if not text:
        return ""
    chosen = f' class="{style}"' if style else ""
    return f'<text x="{x:.1f}" y="{y:.1f}"{chosen}>{_escaped(text)}</text>'


def _escaped(text: str) -> str:
    """For XML, which has no way at all to write most control characters."""
    return escape(_NOT_XML.sub("\ufffd", text))


def _opening(boxes: Sequence[Box], layout: Layout, height: float) -> str:
    title = _escaped(f"architecture of {len(boxes)} blocks ending in {boxes[-1].name}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" role="img" class="architecture" '
        f'viewBox="0 0 {layout.width:.0f} {height:.0f}" width="{layout.width:.0f}" height="{height:.0f}" '
        f'style="max-width:100%;height:auto">\n<title>{title}</title>\n'
        f"<style>{STYLE}</style>\n"
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7.5" refY="4" markerWidth="7" markerHeight="7" '
        'orient="auto"><path d="M0 0L8 4L0 8z" fill="#6b7280"/></marker></defs>\n'
        '<rect width="100%" height="100%" fill="#fff"/>'
    )
