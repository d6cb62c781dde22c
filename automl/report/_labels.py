"""Keeps the labels of a plot from lying on each other."""

from __future__ import annotations

from collections.abc import Sequence

LETTER_PIXELS = 7.5
LINE_PIXELS = 16.0
MARKER_PIXELS = 8.0

Spot = tuple[float, float]
Box = tuple[float, float, float, float]


def spread(heights: Sequence[float], gap: float) -> list[float]:
    """Heights pushed apart to at least `gap`, in the order given, as near to the wanted ones as blocks allow.

    >>> spread([10.0, 11.0, 50.0], gap=4.0)
    [8.5, 12.5, 50.0]
    """
    blocks: list[tuple[float, list[int]]] = []
    for place in sorted(range(len(heights)), key=lambda at: heights[at]):
        members = [place]
        while blocks and _centre(heights, members) - blocks[-1][0] < gap * (len(members) + len(blocks[-1][1])) / 2:
            members = blocks.pop()[1] + members
        blocks.append((_centre(heights, members), members))
    moved = [0.0] * len(heights)
    for centre, members in blocks:
        for step, place in enumerate(members):
            moved[place] = centre + gap * (step - (len(members) - 1) / 2)
    return moved


def label_shifts(
    points: Sequence[Spot], texts: Sequence[str], others: Sequence[Spot], size: Spot
) -> list[tuple[float, float]]:
    """For each point the shift of its text's centre, in pixels, to where it meets the least else.

    Points and `others`, which have no text, are in pixels from the lower left corner of a plot of `size`.
    Greedy over eight places; one that leaves the plot counts as meeting something.
    """
    taken: list[Box] = [_box(x, y, 2 * MARKER_PIXELS, 2 * MARKER_PIXELS) for x, y in (*points, *others)]
    shifts: list[tuple[float, float]] = []
    for (x, y), text in zip(points, texts, strict=True):
        length = LETTER_PIXELS * len(text)
        aside, up = MARKER_PIXELS + length / 2, LINE_PIXELS
        places = [(0, up), (0, -up), (aside, 0), (-aside, 0), (aside, up), (-aside, up), (aside, -up), (-aside, -up)]
        boxes = [_box(x + right, y + above, length, LINE_PIXELS) for right, above in places]
        chosen = min(range(len(places)), key=lambda at: _clashes(boxes[at], taken, size))
        shifts.append(places[chosen])
        taken.append(boxes[chosen])
    return shifts


def _centre(heights: Sequence[float], members: Sequence[int]) -> float:
    return sum(heights[place] for place in members) / len(members)


def _box(x: float, y: float, width: float, height: float) -> Box:
    return (x - width / 2, x + width / 2, y - height / 2, y + height / 2)


def _clashes(box: Box, taken: Sequence[Box], size: Spot) -> float:
    beyond = max(0.0, -box[0], box[1] - size[0]) + max(0.0, -box[2], box[3] - size[1])
    return beyond * LINE_PIXELS + sum(_overlap(box, other) for other in taken)


def _overlap(one: Box, other: Box) -> float:
    across = min(one[1], other[1]) - max(one[0], other[0])
    up = min(one[3], other[3]) - max(one[2], other[2])
    return max(0.0, across) * max(0.0, up)
