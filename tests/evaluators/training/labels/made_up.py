"""Rows whose losses are alike within neighbourhoods and between models."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def ar1(rng: np.random.Generator, shape: tuple[int, ...], correlation: float) -> Matrix:
    """Unit variance, neighbours along the last axis correlated."""
    noise = rng.normal(size=shape)
    for one in range(1, shape[-1]):
        noise[..., one] = correlation * noise[..., one - 1] + np.sqrt(1 - correlation**2) * noise[..., one]
    return noise


def clicks(rng: np.random.Generator, logits: Vector) -> Vector:
    """Labels drawn with the probabilities of these logits, [n]."""
    return (rng.random(len(logits)) < 1.0 / (1.0 + np.exp(-logits))).astype(np.float64)
