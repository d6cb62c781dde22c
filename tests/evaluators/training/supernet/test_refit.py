from __future__ import annotations

import numpy as np
import torch
from scipy.optimize import minimize

from evaluators._training.supernet.refit import refitted


def problem(rows: int, width: int) -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    activations = rng.standard_normal((rows, width)) * rng.exponential(2.0, width)
    labels = (rng.random(rows) < 1.0 / (1.0 + np.exp(-activations[:, 0] + 1.0))).astype(np.float64)
    return torch.from_numpy(activations), torch.from_numpy(labels)


def test_it_finds_what_a_general_optimiser_finds() -> None:
    rows, labels = problem(400, 6)
    start = torch.linspace(-0.5, 0.5, 6, dtype=torch.float64)
    x = np.concatenate([rows.numpy(), np.ones((400, 1))], axis=1)
    begin, y = np.append(start.numpy(), 0.3), labels.numpy()

    def objective(w: np.ndarray) -> float:
        logits = x @ w
        return float((np.logaddexp(0.0, logits) - y * logits).sum() + 0.5 * 2.0 * ((w - begin) ** 2).sum())

    expected = minimize(objective, begin, method="BFGS", options={"gtol": 1e-8}).x
    weight, bias = refitted(rows, labels, start, 0.3, ridge=2.0)
    np.testing.assert_allclose(np.append(weight.numpy(), bias), expected, atol=1e-4)


def test_a_large_ridge_keeps_the_start() -> None:
    rows, labels = problem(200, 4)
    weight, bias = refitted(rows, labels, torch.ones(4, dtype=torch.float64), -1.0, ridge=1e12)
    np.testing.assert_allclose(np.append(weight.numpy(), bias), [1.0, 1.0, 1.0, 1.0, -1.0], atol=1e-6)


def test_it_stays_finite_where_more_is_free_than_told() -> None:
    rows, labels = problem(20, 50)
    weight, bias = refitted(rows.float(), labels.float(), torch.zeros(50), 0.0, ridge=0.1)
    assert torch.isfinite(weight).all()
    assert np.isfinite(bias)


def test_the_loss_never_rises_from_a_bad_start() -> None:
    rows, labels = problem(300, 3)
    start = torch.full((3,), 40.0, dtype=torch.float64)
    weight, bias = refitted(rows, labels, start, 0.0, ridge=1e-3)

    def loss(w: torch.Tensor, b: float) -> float:
        return float(torch.nn.functional.binary_cross_entropy_with_logits(rows @ w + b, labels))

    assert loss(weight, bias) < loss(start, 0.0)
