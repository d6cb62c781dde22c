"""Cholesky factors of covariances that are positive definite but for rounding."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cholesky

Matrix = NDArray[np.float64]


def cholesky_factor(covariance: Matrix, *, jitter: float) -> Matrix:
    """Lower factor of a covariance `[n, n]`, with `jitter` shares of its diagonal and as much more as it needs."""
    added = jitter * float(np.diag(covariance).max(initial=1.0))
    while True:
        try:
            factor: Matrix = cholesky(covariance + added * np.eye(len(covariance)), lower=True)
            return factor
        except np.linalg.LinAlgError:
            added *= 10.0
