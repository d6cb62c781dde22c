"""Extrapolated differences: planted curves, and the claimed error against its spread."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators import EvaluatorError, Metric
from evaluators._training.jackknife import Estimate
from evaluators._training.labels.learning_curves import extrapolated, slope_corrected
from tests.evaluators.training.labels.made_up import Matrix, Vector

ROWS = np.geomspace(1e4, 4e5, 12)
FULL = 1e6


def _planted(alpha: float) -> tuple[Matrix, Vector]:
    """Three curves of one exponent, [3, points], and their values at the full rows, [3]."""
    c, a = np.array([[-0.01], [0.002], [0.0]]), np.array([[2.0], [-1.0], [0.5]])
    return c + a * (ROWS / 1e4) ** -alpha, (c + a * (FULL / 1e4) ** -alpha)[:, 0]


@pytest.mark.parametrize("alpha", [0.2, 0.5, 1.3])
def test_a_planted_power_law_is_found(alpha: float) -> None:
    curves, truth = _planted(alpha)
    found = extrapolated(curves, ROWS, full_rows=FULL)
    assert found.exponent == pytest.approx(alpha, abs=1e-6)
    assert [one.value for one in found.values] == pytest.approx(truth, abs=1e-7)


def test_a_line_in_log_rows_is_the_power_law_of_exponent_zero() -> None:
    found = extrapolated(0.3 - 0.01 * np.log(ROWS / FULL)[None, :], ROWS, full_rows=FULL)
    assert found.exponent == pytest.approx(0.0, abs=1e-3)
    assert found.values[0].value == pytest.approx(0.3, abs=1e-5)


def test_flat_curves_stay_where_they_are() -> None:
    found = extrapolated(np.array([[0.2] * 12, [-0.1] * 12]), ROWS, full_rows=FULL)
    assert [one.value for one in found.values] == pytest.approx([0.2, -0.1])


@pytest.mark.parametrize("knows_errors", [True, False])
def test_the_error_of_the_power_law_is_its_spread_over_fresh_noise(knows_errors: bool) -> None:
    curves, truth = _planted(0.5)
    sizes = 0.01 * (ROWS / ROWS[-1]) ** -0.5 if knows_errors else np.full(12, 0.02)
    stderr = np.broadcast_to(sizes, curves.shape)
    rng, found, claimed = np.random.default_rng(7), [], []
    for _ in range(80):
        noisy = curves + stderr * rng.normal(size=curves.shape)
        fit = extrapolated(noisy, ROWS, full_rows=FULL, stderr=stderr if knows_errors else None)
        found.append([one.value for one in fit.values])
        claimed.append([one.stderr or 0.0 for one in fit.values])
    assert np.mean(claimed, axis=0) == pytest.approx(np.std(found, axis=0), rel=0.2)
    assert np.mean(found, axis=0) == pytest.approx(truth, abs=0.005)


def test_a_shared_exponent_makes_a_noisy_candidate_surer() -> None:
    curves, _ = _planted(0.5)
    noisy = curves + 0.02 * np.random.default_rng(8).normal(size=curves.shape)
    stderr = np.full(curves.shape, 0.02)
    together = extrapolated(noisy, ROWS, full_rows=FULL, stderr=stderr).values[2].stderr
    alone = extrapolated(noisy[2:], ROWS, full_rows=FULL, stderr=stderr[2:]).values[0].stderr
    assert together is not None
    assert alone is not None
    assert together < 0.8 * alone


def test_precise_points_pull_the_curve() -> None:
    curves = np.array([[1.0, 1.0, 1.0, 0.0, 0.0]])
    stderr = np.array([[1e3, 1e3, 1.0, 1e-3, 1e-3]])
    rows = np.array([1.0, 2.0, 3.0, 4.0, 5.0])
    assert abs(extrapolated(curves, rows, full_rows=5.0, stderr=stderr).values[0].value) < 0.01


def test_a_label_follows_its_slope_to_the_full_rows() -> None:
    differences = 0.5 - 0.02 * np.log(ROWS)
    label = Metric(0.3, 0.01)
    found = slope_corrected(label, differences, ROWS, seen=ROWS[-1], full_rows=FULL)
    assert found.slope.value == pytest.approx(-0.02)
    assert found.label.value == pytest.approx(0.3 - 0.02 * math.log(FULL / ROWS[-1]))
    assert found.label.stderr == pytest.approx(label.stderr)


def test_a_full_label_is_not_corrected() -> None:
    noise = np.random.default_rng(9).normal(size=12)
    found = slope_corrected(Metric(0.3), noise, ROWS, seen=ROWS[-1], full_rows=ROWS[-1])
    assert (found.label.value, found.label.stderr) == (0.3, None)


def test_the_error_of_a_corrected_label_is_its_spread_over_fresh_noise() -> None:
    rng, found = np.random.default_rng(10), []
    rows = np.linspace(5e4, 1e5, 20)
    for _ in range(300):
        d = 0.1 * rng.normal(size=20) - 0.3 * np.log(rows / 1e5)
        label = Estimate(float(d.mean()), (d.sum() - d) / 19).metric()
        found.append(slope_corrected(label, d, rows, seen=1e5, full_rows=2e5).label)
    claimed = np.mean([one.stderr for one in found if one.stderr is not None])
    assert claimed == pytest.approx(np.std([one.value for one in found]), rel=0.15)


@pytest.mark.parametrize("rows", [[1.0, 2.0, 3.0], [1.0, 3.0, 2.0, 4.0], [0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 99.0]])
def test_row_counts_that_make_no_curve_are_refused(rows: list[float]) -> None:
    with pytest.raises(EvaluatorError, match="a curve needs at least 4 points at growing row counts up to the full 10"):
        extrapolated(np.zeros((1, len(rows))), np.array(rows), full_rows=10.0)


def test_curves_of_other_shapes_are_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"curves must be \[candidates, points\], but are \[2, 3\] for 12 points"):
        extrapolated(np.zeros((2, 3)), ROWS, full_rows=FULL)


def test_an_error_of_zero_is_refused() -> None:
    with pytest.raises(EvaluatorError, match=r"need a standard error above 0 for each point, .* with the least 0.0"):
        extrapolated(np.zeros((1, 12)), ROWS, full_rows=FULL, stderr=np.zeros((1, 12)))
