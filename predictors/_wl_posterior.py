"""Gaussian process over a weighted sum of given kernels and a ladder of rungs, its weights by MAP.

Letters: n observations, M kernels, R rungs, w weights, K kernels, B likeness of rungs, D the noise of observations
in units of a typical one, t its scale, y targets.

    cov(y) = B o sum_m w_m K_m + S + diag(t D),    B_rs = rho_r rho_s and S_rs = 0 for r != s, B_rr = S_rr = 1

so each rung is a share rho of what full training measures (rho = 1 there) and something of its own: a rung that tells
nothing gets a share near zero by itself. S lets each rung have a level of its own: only the best of a cheap rung are
trained in full. Priors are normal in the logarithms of w and t and in the arctanh of rho;
gradients are exact.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_solve, solve_triangular
from scipy.optimize import minimize

from predictors._cholesky import cholesky_factor

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Rungs = NDArray[np.int64]

WEIGHT_SPREAD, NOISE_SPREAD, SHARE_SPREAD = 2.0, 1.0, 1.0
"""Standard deviations of the priors."""
TYPICAL_SHARE = 0.7
JITTER = 1e-6
MOST_STEPS = 60
MOST_FOR_WEIGHTS = 300
"""Observations that weights are learned on: beyond, they hardly change, and the time grows with the cube."""


@dataclass(frozen=True, eq=False)
class Weights:
    """What is learned of the kernels: `kernels` [M], `noise` t, and `shares` rho [R], the full training's last."""

    kernels: Vector
    noise: float
    shares: Vector

    def likeness(self, one: Rungs, other: Rungs) -> Matrix:
        """B between rungs, [n, m]."""
        return np.where(_same(one, other), 1.0, self.shares[one][:, None] * self.shares[other][None, :])

    def covariance(self, summed: Matrix, one: Rungs, other: Rungs) -> Matrix:
        """Of what is measured without noise, [n, m], from the weighted sum of kernels."""
        return self.likeness(one, other) * summed + _same(one, other)


def learn_weights(
    grams: Matrix, rungs: Rungs, noise: Vector, targets: Vector, *, typical_noise: float, ladder: int
) -> Weights:
    """The weights of highest posterior density for standardised `targets` [n] and `grams` [M, n, n].

    `rungs` [n] are places in a ladder of `ladder` rungs, the last one is full training; `typical_noise` is where the
    prior of t lies.
    """
    start = _Point.start(len(grams), ladder, typical_noise)
    if len(targets) < 4:
        return start.weights()
    problem = _Problem(grams, rungs, noise, targets, start)
    found = minimize(problem.loss, start.vector(), jac=True, method="L-BFGS-B", options={"maxiter": MOST_STEPS})
    return start.moved(found.x).weights()


@dataclass(frozen=True, eq=False)
class _Point:
    """Parameters on the scales on which their priors are normal."""

    kernels: Vector  # log w
    noise: float  # log t
    shares: Vector  # arctanh rho of all rungs but the last

    @classmethod
    def start(cls, kernels: int, rungs: int, noise: float) -> _Point:
        shares = np.full(rungs - 1, np.arctanh(TYPICAL_SHARE))
        return cls(np.full(kernels, -np.log(max(1, kernels))), float(np.log(noise)), shares)

    def vector(self) -> Vector:
        return np.concatenate([self.kernels, [self.noise], self.shares])

    def moved(self, vector: Vector) -> _Point:
        count = len(self.kernels)
        return _Point(vector[:count], float(vector[count]), vector[count + 1 :])

    def weights(self) -> Weights:
        return Weights(np.exp(self.kernels), float(np.exp(self.noise)), np.append(np.tanh(self.shares), 1.0))

    def spreads(self) -> Vector:
        spread = (np.full(len(self.kernels), WEIGHT_SPREAD), [NOISE_SPREAD], np.full(len(self.shares), SHARE_SPREAD))
        return np.concatenate(spread)


@dataclass(frozen=True, eq=False)
class _Problem:
    grams: Matrix
    rungs: Rungs
    noise: Vector
    targets: Vector
    start: _Point

    def loss(self, vector: Vector) -> tuple[float, Vector]:
        """Negative log posterior density up to a constant, and its gradient."""
        point = self.start.moved(vector)
        weights = point.weights()
        alike = weights.likeness(self.rungs, self.rungs)
        summed = np.einsum("m,mij->ij", weights.kernels, self.grams)
        factor = cholesky_factor(
            weights.covariance(summed, self.rungs, self.rungs) + np.diag(weights.noise * self.noise), jitter=JITTER
        )
        solved = cho_solve((factor, True), self.targets)
        inverse = cho_solve((factor, True), np.eye(len(self.targets)))
        pull = (inverse - np.outer(solved, solved)) / 2.0  # derivative of the likelihood by the covariance
        gradient = np.concatenate(
            [
                weights.kernels * np.einsum("ij,mij->m", pull * alike, self.grams),
                [weights.noise * float(np.diag(pull) @ self.noise)],
                [self._share_slope(pull * summed, weights.shares, rung) for rung in range(len(point.shares))],
            ]
        )
        away = (vector - self.start.vector()) / self.start.spreads()
        fit = float(self.targets @ solved) / 2.0 + float(np.log(np.diag(factor)).sum())
        return fit + float(away @ away) / 2.0, gradient + away / self.start.spreads()

    def _share_slope(self, pull: Matrix, shares: Vector, rung: int) -> float:
        own = self.rungs == rung
        others = np.where(own, 0.0, shares[self.rungs])
        return 2.0 * float((pull[own] @ others).sum()) * (1.0 - float(shares[rung]) ** 2)


@dataclass(frozen=True, eq=False)
class Posterior:
    """What the observations say, ready to be asked."""

    weights: Weights
    rungs: Rungs
    factor: Matrix
    solved: Vector
    inverse_diagonal: Vector

    @classmethod
    def of(cls, weights: Weights, summed: Matrix, rungs: Rungs, noise: Vector, targets: Vector) -> Posterior:
        """Conditions on all observations; `summed` [n, n] is the weighted sum of their kernels."""
        factor = cholesky_factor(
            weights.covariance(summed, rungs, rungs) + np.diag(weights.noise * noise), jitter=JITTER
        )
        half = solve_triangular(factor, np.eye(len(targets)), lower=True)
        solved = cho_solve((factor, True), targets)
        return cls(weights, rungs, factor, solved, np.square(half).sum(axis=0))

    def at(self, pairs: Matrix, own: Vector, rungs: Rungs) -> tuple[Vector, Vector]:
        """Mean and standard deviation [m] without noise, from weighted sums of kernels `pairs` [n, m] and `own` [m]."""
        across = self.weights.covariance(pairs, self.rungs, rungs)
        half = solve_triangular(self.factor, across, lower=True)
        variance = 1.0 + own - np.square(half).sum(axis=0)
        return across.T @ self.solved, np.sqrt(np.maximum(variance, JITTER))

    def held_out(self) -> tuple[Vector, Vector]:
        """Errors of leave-one-out predictions and their standard deviations, noise included, both [n].

        In closed form: Rasmussen and Williams 2006, Gaussian Processes for Machine Learning, equation 5.12.
        """
        return self.solved / self.inverse_diagonal, np.sqrt(1.0 / self.inverse_diagonal)


def _same(one: Rungs, other: Rungs) -> NDArray[np.bool_]:
    same: NDArray[np.bool_] = one[:, None] == other[None, :]
    return same
