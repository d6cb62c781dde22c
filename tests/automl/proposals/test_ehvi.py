from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm

from automl.front import hypervolume
from automl.proposals._ehvi import expected_hypervolume_improvement, expected_improvement

FRONT = np.array([[0.2, 0.9], [0.5, 0.5], [0.8, 0.1]])
REFERENCE = np.array([1.0, 1.0])


def sampled(front: np.ndarray, reference: np.ndarray, mean: np.ndarray, std: np.ndarray, draws: int = 4000) -> float:
    """Monte-Carlo of the same, through the hypervolume that reports use."""
    before = hypervolume(front, reference)
    points = mean + std * np.random.default_rng(1).standard_normal((draws, len(mean)))
    return float(np.mean([hypervolume([*front, point], reference) - before for point in points]))


@pytest.mark.parametrize(("mean", "std"), [(0.3, 0.5), (2.0, 1.0), (-1.0, 0.1)])
def test_expected_improvement_is_its_integral(mean: float, std: float) -> None:
    area, _ = quad(lambda y: (0.4 - y) * norm.pdf(y, mean, std), -10.0, 0.4, points=[mean])
    assert expected_improvement(np.array([mean]), np.array([std]), 0.4)[0] == pytest.approx(area, rel=1e-6)


def test_without_deviation_it_is_the_improvement() -> None:
    found = expected_improvement(np.array([0.1, 0.9]), np.zeros(2), 0.4)
    np.testing.assert_allclose(found, [0.3, 0.0])


@pytest.mark.parametrize("cost_std", [0.0, 0.2])
@pytest.mark.parametrize("mean", [[0.4, 0.4], [0.1, 0.95], [0.9, 0.9], [0.6, 0.05]])
def test_it_agrees_with_monte_carlo(mean: list[float], cost_std: float) -> None:
    std = np.array([0.15, cost_std])
    exact = expected_hypervolume_improvement(FRONT, REFERENCE, np.array([mean]), std[None])[0]
    assert exact == pytest.approx(sampled(FRONT, REFERENCE, np.array(mean), std), rel=0.1, abs=3e-3)


def test_three_losses_agree_with_monte_carlo() -> None:
    front = np.array([[0.2, 0.9, 0.3], [0.5, 0.5, 0.5], [0.8, 0.1, 0.9], [0.3, 0.8, 0.7]])
    mean, std = np.array([0.4, 0.4, 0.6]), np.array([0.2, 0.0, 0.1])
    exact = expected_hypervolume_improvement(front, np.ones(3), mean[None], std[None])[0]
    assert exact == pytest.approx(sampled(front, np.ones(3), mean, std), rel=0.1)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # of botorch and what it imports
def test_it_agrees_with_botorch() -> None:
    import torch
    from botorch.acquisition.multi_objective.analytic import ExpectedHypervolumeImprovement
    from botorch.models import SingleTaskGP
    from botorch.models.model_list_gp_regression import ModelListGP
    from botorch.utils.multi_objective.box_decompositions.non_dominated import NondominatedPartitioning

    rng = np.random.default_rng(3)
    inputs = torch.tensor(rng.random((12, 2)), dtype=torch.float64)
    values = torch.stack([inputs.sum(dim=1).sin(), (inputs[:, 0] - inputs[:, 1]).cos()], dim=1)
    model = ModelListGP(*(SingleTaskGP(inputs, values[:, [at]]) for at in range(2))).eval()
    asked = torch.tensor(rng.random((20, 1, 2)), dtype=torch.float64)
    reference = torch.tensor([-0.2, -0.2], dtype=torch.float64)  # botorch maximises
    partitioning = NondominatedPartitioning(ref_point=reference, Y=values)
    theirs = ExpectedHypervolumeImprovement(model, reference.tolist(), partitioning)(asked).detach().numpy()
    posterior = model.posterior(asked[:, 0])
    mean, std = -posterior.mean.detach().numpy(), posterior.variance.sqrt().detach().numpy()
    ours = expected_hypervolume_improvement(-values.numpy(), -reference.numpy(), mean, std)
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


def test_a_known_candidate_adds_what_the_hypervolume_gains() -> None:
    mean = np.array([[0.4, 0.3], [0.9, 0.95], [0.1, 0.05]])
    exact = expected_hypervolume_improvement(FRONT, REFERENCE, mean, np.zeros((3, 2)))
    gains = [hypervolume([*FRONT, one], REFERENCE) - hypervolume(FRONT, REFERENCE) for one in mean]
    np.testing.assert_allclose(exact, gains, atol=1e-12)


def test_with_one_loss_it_is_expected_improvement() -> None:
    mean, std = np.array([[0.3], [0.6]]), np.array([[0.1], [0.2]])
    found = expected_hypervolume_improvement([[0.5], [0.7]], [1.0], mean, std)
    np.testing.assert_allclose(found, expected_improvement(mean[:, 0], std[:, 0], 0.5))


def test_an_empty_front_leaves_all_below_the_reference() -> None:
    found = expected_hypervolume_improvement(np.empty((0, 2)), REFERENCE, np.array([[0.5, 0.75]]), np.zeros((1, 2)))
    np.testing.assert_allclose(found, [0.5 * 0.25])


def test_dominated_points_and_points_beyond_the_reference_change_nothing() -> None:
    mean, std = np.array([[0.4, 0.4]]), np.array([[0.1, 0.0]])
    more = np.vstack([FRONT, [0.9, 0.9], [0.1, 3.0], [3.0, 0.01]])
    np.testing.assert_allclose(
        expected_hypervolume_improvement(more, REFERENCE, mean, std),
        expected_hypervolume_improvement(FRONT, REFERENCE, mean, std),
    )


def test_a_long_front_of_many_losses_is_cut_to_its_best() -> None:
    rng = np.random.default_rng(0)
    front = rng.random((400, 4))
    found = expected_hypervolume_improvement(front, np.ones(4), np.full((3, 4), 0.5), np.full((3, 4), 0.2))
    assert np.isfinite(found).all()
    assert (found > 0).all()
