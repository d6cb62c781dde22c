"""Draws the power curves of finals as SVG by hand: figures in the docs need no plotting library."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]
Place = tuple[float, float]

WIDTH, HEIGHT = 940, 400
LEFT, TOP, PANEL, DEEP, GAP = 62, 64, 400, 270, 44
MOST = 0.5
"""Percent of NE at the right end of the axis."""

COLOURS = {3: "#c8442f", 5: "#1d5fd1", 10: "#2f8f4e"}
DASHES = {3: "", 5: ' stroke-dasharray="6 4"'}
INK, LINES = "#1c2430", "#e6eaf0"


def power_curves(found: Mapping[str, Any]) -> str:
    """Share of winner verdicts over the planted effect, a panel for each correlation, a curve for each plan."""
    rows = [*found["ties"], *found["winners"]]
    panels = sorted({row["correlation"] for row in found["winners"]})
    drawn = [_panel(number, correlation, rows) for number, correlation in enumerate(panels)]
    body = "\n".join([*drawn, *_legend(rows)])
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" height="{HEIGHT}" '
        f'font-family="Helvetica, Arial, sans-serif" font-size="13" fill="{INK}">\n'
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n{body}\n</svg>\n'
    )


def _panel(number: int, correlation: float, rows: Sequence[Row]) -> str:
    left = LEFT + number * (PANEL + GAP)
    own = [row for row in rows if row["correlation"] == correlation]
    title = f"correlation of two models over seeds: {correlation:g}"
    parts = [_text((left + PANEL / 2, TOP - 10), title), *_axes(left)]
    if number == 0:
        parts.append(_text((left - 44, TOP + DEEP / 2), "share of “winner”", turn=True))
    for seeds, finalists in _plans(own):
        points = [row for row in own if (row["seeds"], row["finalists"]) == (seeds, finalists)]
        places = [_place(left, row["effect_percent"], row["winner"]) for row in points]
        style = f'stroke="{COLOURS[seeds]}"{DASHES[finalists]}'
        parts.append(f'<polyline points="{_path(places)}" fill="none" stroke-width="2" {style}/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{COLOURS[seeds]}"/>' for x, y in places]
    return "\n".join(parts)


def _axes(left: float) -> list[str]:
    parts = []
    for tick in range(6):
        share, effect = tick / 5, MOST * tick / 5
        (x, _), (_, y) = _place(left, effect, 0.0), _place(left, 0.0, share)
        parts += [
            f'<line x1="{left}" x2="{left + PANEL}" y1="{y:.1f}" y2="{y:.1f}" stroke="{LINES}"/>',
            _text((left - 22, y + 4), f"{share:.0%}"),
            _text((x, TOP + DEEP + 20), f"{effect:g}"),
        ]
    level = _place(left, 0.0, 0.05)[1]
    dotted = f'stroke="{INK}" stroke-dasharray="2 3"'
    parts.append(f'<line x1="{left}" x2="{left + PANEL}" y1="{level:.1f}" y2="{level:.1f}" {dotted}/>')
    parts.append(_text((left + PANEL - 14, level - 5), "5 %"))
    parts.append(_text((left + PANEL / 2, TOP + DEEP + 42), "planted improvement of one finalist, % of NE"))
    return parts


def _legend(rows: Sequence[Row]) -> list[str]:
    parts = []
    for number, (seeds, finalists) in enumerate(_plans(rows)):
        x = LEFT + 145 * number
        parts.append(f'<line x1="{x}" x2="{x + 26}" y1="22" y2="22" stroke-width="2" stroke="{COLOURS[seeds]}"')
        parts[-1] += f"{DASHES[finalists]}/>"
        parts.append(_text((x + 32, 26), f"{seeds} seeds, K = {finalists}", anchor="start"))
    return parts


def _plans(rows: Sequence[Row]) -> list[tuple[int, int]]:
    return sorted({(row["seeds"], row["finalists"]) for row in rows})


def _place(left: float, effect: float, share: float) -> Place:
    return left + PANEL * effect / MOST, TOP + DEEP * (1.0 - share)


def _path(places: Sequence[Place]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in places)


def _text(at: Place, text: str, *, anchor: str = "middle", turn: bool = False) -> str:
    x, y = at
    turned = f' transform="rotate(-90 {x:.1f} {y:.1f})"' if turn else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}"{turned}>{text}</text>'
