from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from automl.proposals import Outlook, Scale, Worth, scales
from predictors import Prediction

UNIT = Scale(0.0, 1.0)


def outlook(mean: list[float], costs: list[list[float]], std: list[float] | None = None) -> Outlook:
    spread: NDArray[np.float64] = np.array(std or [0.0] * len(mean))
    return Outlook(Prediction(np.array(mean), spread), np.array(costs, dtype=float).reshape(len(mean), -1))


def test_alpha_is_the_share_of_cost_in_the_reward() -> None:
    seen = outlook([0.5, -1.0], [[4.0], [16.0]])
    for alpha in (0.0, 0.3, 1.0):
        expected = [-(1 - alpha) * 0.5 - alpha * 2, (1 - alpha) * 1.0 - alpha * 4]
        assert Worth(UNIT, UNIT, alpha=alpha)(seen) == pytest.approx(expected)


def test_disagreement_makes_a_prediction_worse() -> None:
    seen = outlook([1.0, 1.0], [[1.0], [1.0]], std=[0.0, 0.5])
    assert Worth(UNIT, UNIT, disagreement=2.0)(seen) == pytest.approx([-1.0, -2.0])


def test_with_a_return_on_investment_only_cost_beyond_the_reference_must_pay() -> None:
    seen = outlook([0.0, 0.0, 0.0], [[50.0], [100.0], [400.0]])
    assert Worth(UNIT, UNIT, roi=0.25, reference=100.0)(seen) == pytest.approx([0, 0, -0.5])


def test_a_bound_outweighs_quality_and_ends_where_it_stands() -> None:
    seen = outlook([0.0, 0.0, -5.0], [[100.0, 7.0], [100.0, 8.0], [100.0, 16.0]])
    assert Worth(UNIT, UNIT, bounds=(None, 8.0))(seen) == pytest.approx([0, 0, 5.0 - 10.0])


def test_unknown_costs_leave_quality_alone() -> None:
    seen = outlook([1.0, -1.0], [[np.nan], [np.nan]])
    assert Worth(UNIT, Scale.of(seen.costs[:, 0]), alpha=0.0, bounds=(3.0,))(seen) == pytest.approx([-1, 1])
    assert Worth(UNIT, UNIT)(outlook([1.0, -1.0], [])) == pytest.approx([-1, 1])


def test_scales_standardise_what_they_were_made_of() -> None:
    seen = outlook([3.0, 5.0, 10.0], [[1.0], [2.0], [16.0]])
    quality, cost = scales(seen, 0.0)
    for scale, values in ((quality, seen.predicted.mean), (cost, np.array([0.0, 1.0, 4.0]))):
        standard = scale.standardised(values)
        assert [standard.mean(), standard.std()] == pytest.approx([0, 1])


def test_numbers_that_do_not_differ_are_all_in_the_centre() -> None:
    assert Scale.of(np.full(4, 0.1)).standardised(np.array([0.1, 7.0])).tolist() == [0, 0]
    assert Scale.of(np.array([np.nan])).standardised(np.array([np.nan, 7.0])).tolist() == [0, 0]
