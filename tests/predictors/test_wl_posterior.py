from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import approx_fprime
from scipy.stats import multivariate_normal
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel

from predictors._wl_posterior import Posterior, Weights, _Point, _Problem, learn_weights

RNG = np.random.default_rng(0)
X = RNG.random((14, 2))
NEW = RNG.random((5, 2))
Y = np.sin(4 * X[:, 0]) + 0.1 * RNG.standard_normal(14)
RUNGS = np.array([0] * 6 + [1] * 8)
ONE_RUNG = np.zeros(14, dtype=np.int64)


def rbf(one: np.ndarray, other: np.ndarray, length: float) -> np.ndarray:
    return np.asarray(RBF(length)(one, other))


GRAMS = np.stack([rbf(X, X, 0.3), rbf(X, X, 1.0)])
SUMMED = 0.7 * GRAMS[0] + 0.4 * GRAMS[1]
WEIGHTS = Weights(np.array([0.7, 0.4]), 0.05, np.array([1.0]))


def posterior() -> Posterior:
    return Posterior.of(WEIGHTS, SUMMED, ONE_RUNG, np.ones(14), Y)


def test_mean_and_deviation_agree_with_scikit_learn() -> None:
    kernel = 0.7 * RBF(0.3) + 0.4 * RBF(1.0) + ConstantKernel(1.0)  # the constant is the level of the rung
    theirs = GaussianProcessRegressor(kernel, alpha=0.05, optimizer=None).fit(X, Y)
    mean, std = theirs.predict(NEW, return_std=True)
    pairs = 0.7 * rbf(X, NEW, 0.3) + 0.4 * rbf(X, NEW, 1.0)
    ours = posterior().at(pairs, np.full(5, 1.1), np.zeros(5, dtype=np.int64))
    np.testing.assert_allclose(ours[0], mean, atol=1e-4)
    np.testing.assert_allclose(ours[1], std, atol=1e-4)


def test_held_out_errors_are_those_of_refits() -> None:
    errors, deviations = posterior().held_out()
    for left in range(14):
        kept = np.arange(14) != left
        refit = Posterior.of(WEIGHTS, SUMMED[kept][:, kept], ONE_RUNG[kept], np.ones(13), Y[kept])
        mean, std = refit.at(SUMMED[kept][:, [left]], np.full(1, 1.1), np.zeros(1, dtype=np.int64))
        assert errors[left] == pytest.approx(Y[left] - mean[0], abs=1e-4)
        assert deviations[left] == pytest.approx(np.sqrt(std[0] ** 2 + 0.05), abs=1e-4)


def problem() -> tuple[_Problem, np.ndarray]:
    start = _Point.start(2, 2, 0.1)
    noise = RNG.uniform(0.5, 2.0, 14)
    return _Problem(GRAMS, RUNGS, noise, Y, start), start.vector() + np.array([0.3, -0.5, 0.4, -0.6])


def test_the_gradient_is_that_of_the_density() -> None:
    solved, at = problem()
    _, gradient = solved.loss(at)
    np.testing.assert_allclose(gradient, approx_fprime(at, lambda one: solved.loss(one)[0], 1e-6), rtol=1e-3, atol=1e-3)


def test_the_density_is_that_of_the_normal_distribution_and_of_the_priors() -> None:
    solved, at = problem()
    weights = solved.start.moved(at).weights()
    summed = np.tensordot(weights.kernels, GRAMS, 1)
    same = RUNGS[:, None] == RUNGS[None, :]
    covariance = np.where(same, summed + 1.0, weights.shares[0] * summed) + np.diag(weights.noise * solved.noise)
    fit = -multivariate_normal(np.zeros(14), covariance).logpdf(Y) - 7 * np.log(2 * np.pi)
    prior = (0.3 / 2.0) ** 2 / 2 + (0.5 / 2.0) ** 2 / 2 + 0.4**2 / 2 + 0.6**2 / 2
    assert solved.loss(at)[0] == pytest.approx(fit + prior, rel=1e-3)


def test_a_kernel_that_tells_nothing_gets_little_weight() -> None:
    rng = np.random.default_rng(1)
    inputs, blind = rng.random((60, 1)), rng.random((60, 1))
    grams = np.stack([rbf(inputs, inputs, 0.3), rbf(blind, blind, 0.3)])
    targets = np.sin(6 * inputs[:, 0])
    rungs = np.zeros(60, dtype=np.int64)
    learned = learn_weights(grams, rungs, np.ones(60), targets, typical_noise=0.1, ladder=1)
    assert learned.kernels[0] > 20 * learned.kernels[1]


@pytest.mark.parametrize(("agrees", "low", "high"), [(1.0, 0.8, 1.0), (0.0, -0.5, 0.5)])
def test_the_share_of_a_rung_is_learned(agrees: float, low: float, high: float) -> None:
    rng = np.random.default_rng(2)
    inputs = rng.random((40, 1))
    full, other = np.sin(6 * inputs[:, 0]), np.cos(15 * inputs[:, 0])
    both = np.vstack([inputs, inputs])
    targets = np.concatenate([agrees * full + (1 - agrees) * other, full])
    rungs = np.repeat([0, 1], 40)
    learned = learn_weights(rbf(both, both, 0.2)[None], rungs, np.ones(80), targets, typical_noise=0.1, ladder=2)
    assert low < learned.shares[0] < high
    assert learned.shares[1] == 1.0


def test_few_observations_keep_the_prior() -> None:
    learned = learn_weights(GRAMS[:, :3, :3], ONE_RUNG[:3], np.ones(3), Y[:3], typical_noise=0.2, ladder=1)
    np.testing.assert_allclose(learned.kernels, 0.5)
    assert learned.noise == pytest.approx(0.2)
