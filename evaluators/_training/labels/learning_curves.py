"""What a paired difference to the control will be at the full number of rows, from its curve so far.

Only differences are extrapolated: a single loss drifts with its day, and drops out of the difference with it. The
sign is the caller's: gains and losses are extrapolated alike.

Letters: d paired difference, n rows seen, N rows of the full training, u = n / N, k candidate, t point of the curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Metric
from evaluators._training.jackknife import Estimate

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MOST_EXPONENT = 2.0
"""Largest exponent that is fitted; 0, where the power becomes a logarithm, is the smallest."""

GRID = 41
"""Exponents that are tried before the best of them is refined: the fit is not convex in the exponent."""

REFINEMENTS = 40
"""Golden sections: each leaves 0.62 of the interval."""


@dataclass(frozen=True)
class Slope:
    """d d / d log n at the end of a curve, and the label as it would be at the full rows if that went on."""

    slope: Metric
    label: Metric


def slope_corrected(label: Metric, differences: Vector, rows: Vector, *, seen: float, full_rows: float) -> Slope:
    """Adds slope * log(N / n) to a label taken after n = `seen` rows: nothing where training was full.

    The slope is the least squares line of the differences over log rows, both [windows], in the tail. What the
    label misses and what the slope misses are taken as independent, since in the least squares line the mean and
    the slope are; the error of the slope is the jackknife's over windows.

    Raises:
        EvaluatorError: there are fewer than three windows, or row counts do not grow towards `full_rows`.
    """
    _check_rows(rows, full_rows, least=3)
    every = np.arange(len(rows))
    left_out = np.array([_line(np.log(rows[every != one]), differences[every != one]) for one in every])
    slope = Estimate(_line(np.log(rows), differences), left_out).metric()
    reach = math.log(full_rows / seen)
    error = None if label.stderr is None else math.hypot(label.stderr, reach * (slope.stderr or 0.0))
    return Slope(slope, Metric(label.value + reach * slope.value, error))


@dataclass(frozen=True)
class PowerLaw:
    """Curves of one exponent: `values` at the full rows, one for each candidate; 0 means logarithms."""

    exponent: float
    values: tuple[Metric, ...]


def extrapolated(differences: Matrix, rows: Vector, *, full_rows: float, stderr: Matrix | None = None) -> PowerLaw:
    """Fits d_k(n) = c_k + a_k n^(-alpha) with one alpha for all candidates, by weighted least squares.

    `differences` and `stderr` are [candidates, points], `rows` [points]. Written as v_k + s_k (u^(-alpha) - 1) / alpha
    the value at N is a parameter, and alpha = 0 is the line in log n. The errors are those of the linearised fit (the
    delta method), with alpha's share in them; where the points scatter more than their `stderr` says, or none is
    given, by the scatter.

    Raises:
        EvaluatorError: there are fewer than four points, row counts do not grow towards `full_rows`, shapes differ,
            or a standard error is not above 0.
    """
    _check_rows(rows, full_rows, least=4)
    weights = _weights(differences, rows, stderr)
    log_u = np.log(rows / full_rows)
    exponent = _minimum(lambda alpha: _misfit(alpha, log_u, differences, weights))
    values, slopes, misses = _lines(exponent, log_u, differences, weights)
    errors = _errors(exponent, log_u, slopes, weights)
    freedom = differences.size - 2 * len(differences) - 1
    scatter = float((weights * misses**2).sum()) / freedom
    errors *= math.sqrt(scatter if stderr is None else max(1.0, scatter))
    return PowerLaw(exponent, tuple(Metric(float(v), float(e)) for v, e in zip(values, errors, strict=True)))


def _line(x: Vector, y: Vector) -> float:
    centred = x - x.mean()
    return float((centred * y).sum() / (centred**2).sum())


def _basis(alpha: float, log_u: Vector) -> Vector:
    """(u^(-alpha) - 1) / alpha, [points]: 0 at the full rows, and -log u for alpha = 0."""
    basis: Vector = -log_u if alpha == 0.0 else np.expm1(-alpha * log_u) / alpha
    return basis


def _lines(alpha: float, log_u: Vector, differences: Matrix, weights: Matrix) -> tuple[Vector, Vector, Matrix]:
    """Values at the full rows and slopes, both [candidates], and what the fit misses, [candidates, points]."""
    basis = _basis(alpha, log_u)
    total = weights.sum(axis=1, keepdims=True)
    centre = (weights * basis).sum(axis=1, keepdims=True) / total
    mean = (weights * differences).sum(axis=1, keepdims=True) / total
    away = basis - centre
    slopes = (weights * away * differences).sum(axis=1, keepdims=True) / (weights * away**2).sum(axis=1, keepdims=True)
    values = mean - slopes * centre
    return values[:, 0], slopes[:, 0], differences - values - slopes * basis


def _misfit(alpha: float, log_u: Vector, differences: Matrix, weights: Matrix) -> float:
    return float((weights * _lines(alpha, log_u, differences, weights)[2] ** 2).sum())


def _errors(alpha: float, log_u: Vector, slopes: Vector, weights: Matrix) -> Vector:
    """Standard errors of the values at the full rows where the weights are 1 / variance, [candidates]."""
    count, points = weights.shape
    basis, step = _basis(alpha, log_u), 1e-4
    bend = (_basis(alpha + step, log_u) - _basis(alpha - step, log_u)) / (2.0 * step)
    steepest = float(np.abs(slopes).max()) or 1.0  # in units of it the column of alpha is of the size of the others
    rows = np.zeros((count, points, 2 * count + 1))
    for one in range(count):
        rows[one, :, one], rows[one, :, count + one], rows[one, :, -1] = 1.0, basis, slopes[one] / steepest * bend
    scaled = (rows * np.sqrt(weights)[..., None]).reshape(count * points, -1)
    # flat curves do not tell alpha, and alpha does not move them: its column is zero, and the inverse leaves it out
    covariance = np.linalg.pinv(scaled.T @ scaled, rcond=1e-12, hermitian=True)
    errors: Vector = np.sqrt(np.maximum(np.diag(covariance)[:count], 0.0))
    return errors


def _minimum(misfit: Callable[[float], float]) -> float:
    """The exponent of the least misfit: the best of a grid, then golden sections between its neighbours."""
    grid = np.linspace(0.0, MOST_EXPONENT, GRID)
    best = int(np.argmin([misfit(float(alpha)) for alpha in grid]))
    low, high = float(grid[max(0, best - 1)]), float(grid[min(GRID - 1, best + 1)])
    golden = (math.sqrt(5.0) - 1.0) / 2.0
    for _ in range(REFINEMENTS):
        left, right = high - golden * (high - low), low + golden * (high - low)
        low, high = (low, right) if misfit(left) <= misfit(right) else (left, high)
    return 0.5 * (low + high)


def _weights(differences: Matrix, rows: Vector, stderr: Matrix | None) -> Matrix:
    if differences.ndim != 2 or differences.shape[1] != len(rows):
        raise EvaluatorError(
            f"curves must be [candidates, points], but are {list(differences.shape)} for {len(rows)} points; "
            "measure all candidates at the same rows"
        )
    if stderr is None:
        return np.ones(differences.shape)
    if stderr.shape != differences.shape or not (stderr > 0.0).all():
        raise EvaluatorError(
            f"curves of shape {list(differences.shape)} need a standard error above 0 for each point, but get "
            f"{list(stderr.shape)} with the least {stderr.min(initial=math.inf)}; leave them out if they are not known"
        )
    weights: Matrix = 1.0 / stderr**2
    return weights


def _check_rows(rows: Vector, full_rows: float, *, least: int) -> None:
    if len(rows) < least or not (np.diff(rows, prepend=0.0) > 0.0).all() or rows[-1] > full_rows:
        raise EvaluatorError(
            f"a curve needs at least {least} points at growing row counts up to the full {full_rows:.0f}, but has "
            f"{[round(float(one)) for one in rows]}; cut the tail into more windows"
        )
