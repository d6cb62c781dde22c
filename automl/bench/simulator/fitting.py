"""Fits the coefficients of the model of a cluster to measured steps.

The same hardware differs by a third between submitters, so runs are few and rough: errors are relative (of logarithms),
large ones count linearly, and each coefficient has a prior, log-normal and a factor of e wide.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from automl.bench.simulator.runs import Run
from evaluators._codesign.coefficients import HALF_OF_PEAK, Coefficients

PRIOR = HALF_OF_PEAK
"""Where the priors are centred."""

PRIOR_WIDTH, NOISE = 1.0, 0.15
"""Standard deviations of a coefficient's logarithm, and of a measured step's about the model."""

Vector = NDArray[np.float64]


def fitted(runs: Sequence[Run], start: Coefficients = PRIOR) -> Coefficients:
    """The most likely coefficients; the same for the same runs."""
    from scipy.optimize import least_squares

    centre = _logarithms(PRIOR)
    measured = np.log([run.seconds for run in runs])

    def residuals(point: Vector) -> Vector:
        told = _coefficients(point)
        predicted = np.log([run.predicted(told) for run in runs])
        return np.concatenate([(predicted - measured) / NOISE, (point - centre) / PRIOR_WIDTH])

    found = least_squares(residuals, _logarithms(start), loss="soft_l1", xtol=1e-9, ftol=1e-9)
    return _coefficients(found.x)


def _logarithms(coefficients: Coefficients) -> Vector:
    return np.log([getattr(coefficients, name) for name in Coefficients.__dataclass_fields__])


def _coefficients(point: Vector) -> Coefficients:
    return Coefficients(*(math.exp(value) for value in point))
