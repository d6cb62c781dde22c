"""Gaussian process on columns of numbers: a linear part, and a smooth part with a length for each column.

Letters: n records, D columns, X codes `[n, D]`, y targets `[n]`, v the known variances of these `[n]`.

    cov(y) = a X X' + s M(r) + diag(v) + t I,    r_ij^2 = sum_d (x_id - x_jd)^2 / l_d^2

with M the Matern kernel of smoothness 5/2. The linear part on its own is a Bayesian linear model. The logarithms of
lengths l, of a, s and t have normal priors; those of lengths grow with the number of columns (Hvarfner, Hellsten,
Nardi 2024, Vanilla Bayesian Optimization Performs Great in High Dimensions). Gradients are exact. Rasmussen and
Williams 2006, Gaussian Processes for Machine Learning, equations 2.25, 2.26, 5.9 and 5.12.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import minimize

from predictors._cholesky import cholesky_factor

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

MOST_STEPS = 60
MOST_LEARNED = 300
"""Records that lengths and shares are learned on: each step costs their third power. All records are conditioned on."""

LENGTH_SPREAD, SHARE_SPREAD, NOISE_CENTRE, NOISE_SPREAD = math.sqrt(3.0), 1.0, -4.0, 1.0
JITTER = 1e-8
FARTHEST = 5.0
"""Spreads from the centre of a prior, beyond which no step goes: a first long one must not overflow."""

ROOT = math.sqrt(5.0)


@dataclass(frozen=True, eq=False)
class Shape:
    """What is learned: lengths l `[D]`, and of the variance the `smooth` s, the `linear` a and the noise t."""

    lengths: Vector
    smooth: float
    linear: float
    noise: float

    @classmethod
    def of(cls, logarithms: Vector) -> Shape:
        """From logarithms, in this order, `[D + 3]`."""
        values = np.exp(logarithms)
        return cls(values[:-3], float(values[-3]), float(values[-2]), float(values[-1]))

    def covariance(self, one: Matrix, other: Matrix) -> Matrix:
        """Without noise, `[n, m]`."""
        distances = np.sqrt(_squares(one / self.lengths, other / self.lengths))
        found: Matrix = self.smooth * _matern(distances) + self.linear * one @ other.T
        return found

    def variance(self, codes: Matrix) -> Vector:
        """The diagonal of `covariance`, `[n]`."""
        found: Vector = self.smooth + self.linear * np.square(codes).sum(axis=1)
        return found


@dataclass(frozen=True, eq=False)
class ColumnProcess:
    """A process that has seen records; codes are centred on theirs."""

    shape: Shape
    codes: Matrix
    centre: Vector
    factor: Matrix
    solved: Vector

    @classmethod
    def learned(cls, codes: Matrix, targets: Vector, variances: Vector, *, rng: np.random.Generator) -> ColumnProcess:
        """Learns from standardised targets `[n]` at codes `[n, D]`."""
        centre = codes.mean(axis=0)
        centred = codes - centre
        some = np.arange(len(codes))
        if len(codes) > MOST_LEARNED:
            some = np.sort(rng.choice(len(codes), MOST_LEARNED, replace=False))
        shape = learned_shape(centred[some], targets[some], variances[some])
        factor = cholesky_factor(shape.covariance(centred, centred) + np.diag(variances + shape.noise), jitter=JITTER)
        return cls(shape, centred, centre, factor, cho_solve((factor, True), targets))

    def predict(self, codes: Matrix) -> tuple[Vector, Vector]:
        """Mean and standard deviation without noise, both `[m]`."""
        asked = codes - self.centre
        across = self.shape.covariance(self.codes, asked)
        half = solve_triangular(self.factor, across, lower=True)
        variance = self.shape.variance(asked) - np.square(half).sum(axis=0)
        return across.T @ self.solved, np.sqrt(np.maximum(variance, JITTER))

    def held_out(self) -> Vector:
        """What each target exceeds its leave-one-out prediction by, `[n]`."""
        half = solve_triangular(self.factor, np.eye(len(self.solved)), lower=True)
        found: Vector = self.solved / np.square(half).sum(axis=0)
        return found


def learned_shape(codes: Matrix, targets: Vector, variances: Vector) -> Shape:
    """The shape of highest posterior density for centred codes."""
    problem = Problem(codes, targets, variances)
    start, spread = problem.prior()
    bounds = list(zip(start - FARTHEST * spread, start + FARTHEST * spread, strict=True))
    found = minimize(problem.loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": MOST_STEPS})
    return Shape.of(found.x)


@dataclass(frozen=True, eq=False)
class Problem:
    """The negative log posterior of a shape's logarithms."""

    codes: Matrix
    targets: Vector
    variances: Vector

    def prior(self) -> tuple[Vector, Vector]:
        """Centres and spreads, `[D + 3]`; the linear part is as large as the smooth one where columns are switches."""
        columns = self.codes.shape[1]
        lengths = np.full(columns, math.sqrt(2.0) + math.log(columns) / 2.0)
        centre = np.concatenate([lengths, [0.0, math.log(4.0 / columns), NOISE_CENTRE]])
        spread = np.concatenate([np.full(columns, LENGTH_SPREAD), [SHARE_SPREAD, SHARE_SPREAD, NOISE_SPREAD]])
        return centre, spread

    def loss(self, logarithms: Vector) -> tuple[float, Vector]:
        """Up to a constant, with its gradient."""
        shape = Shape.of(logarithms)
        scaled = self.codes / shape.lengths
        distances = np.sqrt(_squares(scaled, scaled))
        matern, products = _matern(distances), self.codes @ self.codes.T
        noise = np.diag(self.variances + shape.noise)
        factor = cholesky_factor(shape.smooth * matern + shape.linear * products + noise, jitter=JITTER)
        solved = cho_solve((factor, True), self.targets)
        pull = (cho_solve((factor, True), np.eye(len(solved))) - np.outer(solved, solved)) / 2.0
        slope = pull * shape.smooth * (5.0 / 3.0) * (1.0 + ROOT * distances) * np.exp(-ROOT * distances)
        # sum_ij slope_ij (x_id - x_jd)^2 for each column, without a cube of differences
        spread = 2.0 * (np.square(scaled).T @ slope.sum(axis=1) - np.einsum("nd,nm,md->d", scaled, slope, scaled))
        shares = [shape.smooth * (pull * matern).sum(), shape.linear * (pull * products).sum()]
        gradient = np.concatenate([spread, shares, [shape.noise * np.trace(pull)]])
        centre, width = self.prior()
        away = (logarithms - centre) / width
        fit = float(self.targets @ solved) / 2.0 + float(np.log(np.diag(factor)).sum())
        return fit + float(away @ away) / 2.0, gradient + away / width


def _matern(distances: Matrix) -> Matrix:
    far = ROOT * distances
    found: Matrix = (1.0 + far + far * far / 3.0) * np.exp(-far)
    return found


def _squares(one: Matrix, other: Matrix) -> Matrix:
    lengths = np.square(one).sum(axis=1)[:, None] + np.square(other).sum(axis=1)[None, :]
    found: Matrix = np.maximum(lengths - 2.0 * one @ other.T, 0.0)
    return found
