"""Expected improvement of one loss, and exact expected hypervolume improvement of several.

Letters: f points of the front, n candidates, m losses, all smaller is better; mu, sigma the normal predictions, each
loss independent of the others; s_0 = -inf < s_1 < ... the values of the front in one loss, then the reference.

The first loss is the height. The others cut the space below the reference into boxes by the values of the front; in
each box the front reaches down to one height h, and what a candidate adds there is its width in every other loss
times what it lies below h. The expectation of a width between two values is a difference of expected improvements,
and so is that of the height, so

    EHVI = sum over boxes of EI(h) * prod_j [EI_j(upper_j) - EI_j(lower_j)],    EI(b) = E max(0, b - Y)

is exact, without sampling. A loss that is known beforehand (FLOPs) is a prediction without deviation. Source of the
decomposition: Emmerich, Deutz and Klinkenberg 2011, Hypervolume-based expected improvement: monotonicity properties
and exact computation; here a grid instead of the tightest boxes, since fronts of a study are small.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MOST_BOXES = 3000
"""With three losses or more boxes grow with a power of the points: of a longer front those of lowest height count."""


def expected_improvement(mean: Vector, std: Vector, best: Vector | float) -> Vector:
    """E max(0, best - Y) of normal Y, for shapes that broadcast; without deviation max(0, best - mean).

    Source: Jones, Schonlau and Welch 1998, Efficient Global Optimization of Expensive Black-Box Functions.
    """
    gap = np.asarray(best - mean, dtype=np.float64)
    spread = np.broadcast_to(np.asarray(std, dtype=np.float64), gap.shape)
    safe = np.where(spread > 0, spread, 1.0)
    scaled = gap / safe
    density = np.exp(-np.square(scaled) / 2.0) / np.sqrt(2.0 * np.pi)
    found: Vector = np.where(spread > 0, safe * (density + scaled * ndtr(scaled)), np.maximum(gap, 0.0))
    return np.maximum(found, 0.0)


def expected_hypervolume_improvement(front: ArrayLike, reference: ArrayLike, mean: Matrix, std: Matrix) -> Vector:
    """What each candidate `[n]` adds to the hypervolume of `front` `[f, m]` below `reference` `[m]`, in expectation.

    `mean` and `std` are `[n, m]`. The front may be empty, and points of it that do not beat the reference or are
    dominated do no harm.
    """
    corner = np.asarray(reference, dtype=np.float64)
    points = _inside(np.asarray(front, dtype=np.float64).reshape(-1, len(corner)), corner)
    edges = [_edges(points[:, loss], corner[loss]) for loss in range(1, len(corner))]
    widths = [_widths(mean[:, loss], std[:, loss], edges[loss - 1]) for loss in range(1, len(corner))]
    heights = np.append(np.unique(points[:, 0]), corner[0])
    gains = expected_improvement(mean[:, :1], std[:, :1], heights[None, :])
    found = np.zeros(len(mean))
    for box in product(*(range(len(one) - 1) for one in edges)):
        lower = [one[at] for one, at in zip(edges, box, strict=True)]
        below = points[(points[:, 1:] <= lower).all(axis=1), 0]
        height = int(np.searchsorted(heights, below.min(initial=corner[0])))
        width = np.prod([one[:, at] for one, at in zip(widths, box, strict=True)], axis=0)
        found += width * gains[:, height]
    return found


def _inside(points: Matrix, corner: Vector) -> Matrix:
    kept = points[(points < corner).all(axis=1)]
    if len(corner) < 3:
        return kept
    most = int(MOST_BOXES ** (1 / (len(corner) - 1))) - 1
    return kept[np.argsort(kept[:, 0], kind="stable")[:most]]


def _edges(values: Vector, end: float) -> Vector:
    return np.concatenate(([-np.inf], np.unique(values), [end]))


def _widths(mean: Vector, std: Vector, edges: Vector) -> Matrix:
    """Expected width of each candidate between neighbouring edges, [n, edges - 1]; the first one begins at -inf."""
    gains = expected_improvement(mean[:, None], std[:, None], edges[None, 1:])
    return np.diff(gains, axis=1, prepend=0.0)
