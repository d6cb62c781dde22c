"""How well one order agrees with another."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def rank_correlation(predicted: ArrayLike, measured: ArrayLike) -> float:
    """Kendall's tau-b of two sequences of one length; 0.0 where either is constant.

    >>> rank_correlation([1, 2, 3], [10, 20, 30])
    1.0
    """
    one = np.asarray(predicted, dtype=float)
    other = np.asarray(measured, dtype=float)
    first = np.sign(one[:, None] - one[None, :])
    second = np.sign(other[:, None] - other[None, :])
    scale = float(np.sqrt(np.square(first).sum() * np.square(second).sum()))
    return float((first * second).sum() / scale) if scale else 0.0
