"""The process behind `roofline`: gradients by differences, predictions by the textbook's formula."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import check_grad
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, DotProduct, Matern

from predictors._column_process import ColumnProcess, Problem, Shape

RNG = np.random.default_rng(0)
CODES = RNG.random((25, 4))
TARGETS = np.sin(5 * CODES[:, 0]) + CODES[:, 1] - 1.0
NOISE = np.full(25, 1e-3)


def learned(codes: NDArray[np.float64] = CODES, targets: NDArray[np.float64] = TARGETS) -> ColumnProcess:
    return ColumnProcess.learned(codes, targets, NOISE[: len(targets)], rng=np.random.default_rng(1))


def test_the_gradient_is_that_of_the_loss() -> None:
    problem = Problem(CODES - CODES.mean(axis=0), TARGETS, NOISE)
    for at in np.random.default_rng(2).normal(0.0, 0.5, (3, 7)):
        error = check_grad(lambda x: problem.loss(x)[0], lambda x: problem.loss(x)[1], at)
        assert error < 1e-4 * np.linalg.norm(problem.loss(at)[1])


def test_predictions_are_those_of_scikit_learn_with_the_same_kernel() -> None:
    process = learned()
    shape = process.shape
    matern, product = Matern(shape.lengths, nu=2.5), DotProduct(sigma_0=1e-9, sigma_0_bounds="fixed")
    kernel = ConstantKernel(shape.smooth) * matern + ConstantKernel(shape.linear) * product
    other = GaussianProcessRegressor(kernel, alpha=NOISE + shape.noise, optimizer=None)
    other.fit(CODES - CODES.mean(axis=0), TARGETS)
    asked = RNG.random((9, 4))
    mean, std = process.predict(asked)
    expected, deviation = other.predict(asked - CODES.mean(axis=0), return_std=True)
    np.testing.assert_allclose(mean, expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(std, deviation, rtol=1e-2, atol=1e-4)


def test_held_out_errors_are_those_of_processes_that_lack_the_record() -> None:
    process = learned()
    shape, centred = process.shape, CODES - CODES.mean(axis=0)
    for at in (0, 7):
        rest = np.arange(25) != at
        covariance = shape.covariance(centred[rest], centred[rest]) + np.diag(NOISE[rest] + shape.noise)
        mean = shape.covariance(centred[[at]], centred[rest]) @ np.linalg.solve(covariance, TARGETS[rest])
        assert process.held_out()[at] == pytest.approx(TARGETS[at] - mean[0], rel=1e-3, abs=1e-5)


def test_a_column_that_says_nothing_gets_a_greater_length_than_one_that_does() -> None:
    lengths = learned().shape.lengths
    assert lengths[0] < min(lengths[2:])


def test_a_linear_law_is_carried_on_beyond_what_was_seen() -> None:
    mean, _ = learned(CODES, 3.0 * CODES[:, 2] - 1.5).predict(np.full((1, 4), 0.5) + np.eye(4)[[2]])
    assert mean[0] == pytest.approx(3.0, abs=0.2)


def test_a_shape_is_read_from_logarithms_in_order() -> None:
    shape = Shape.of(np.log([1.0, 2.0, 3.0, 4.0, 5.0]))
    np.testing.assert_allclose([*shape.lengths, shape.smooth, shape.linear, shape.noise], [1.0, 2.0, 3.0, 4.0, 5.0])
