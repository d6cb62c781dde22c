from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from automl.comparing._agreement import Judged, agreement_of, noise_of_scores, spread
from automl.fidelity import Labels, ceiling_of_tau
from predictors import rank_correlation

Vector = NDArray[np.float64]


def told(losses: Vector, opinions: list[float | None], again: Vector | None = None) -> dict[str, Any]:
    second = [None] * len(losses) if again is None else [None if np.isnan(one) else float(one) for one in again]
    rows = zip(losses.tolist(), opinions, second, strict=True)
    judged = [Judged(str(at), at < 4, loss, opinion, other) for at, (loss, opinion, other) in enumerate(rows)]
    return agreement_of(judged, seed=1)


def test_tau_is_that_of_the_candidates_that_both_know() -> None:
    rng = np.random.default_rng(2)
    losses, scores = rng.standard_normal(12), rng.standard_normal(12).tolist()
    found = told(losses, [*scores[:10], None, None])
    assert (found["candidates"], found["read_out"], found["random"]) == (10, 4, 6)
    assert found["tau"] == pytest.approx(rank_correlation(scores[:10], losses[:10].tolist()))
    assert found["low"] <= found["tau"] <= found["high"]


def test_without_second_trainings_no_ceiling_is_claimed() -> None:
    losses = np.linspace(0.9, 1.0, 20)
    found = told(losses, losses.tolist())
    assert (found["ceiling"], found["share"], found["noise"], found["twice"]) == (None, None, None, 0)


def test_second_trainings_that_agree_but_for_a_shift_leave_a_ceiling_of_one() -> None:
    losses = np.linspace(0.9, 1.0, 20)
    again = np.where(np.arange(20) % 3 == 0, losses + 0.004, np.nan)
    found = told(losses, losses.tolist(), again)
    assert (found["ceiling"], found["share"]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert found["twice"] == 7


def test_second_trainings_in_another_order_leave_none() -> None:
    losses = np.linspace(0.9, 1.0, 20)
    found = told(losses, losses.tolist(), losses[::-1])
    assert (found["ceiling"], found["share"]) == (0.0, None)


def noisy(rng: np.random.Generator, *, outlier: float = 0.0) -> tuple[Vector, Vector]:
    """Two trainings of 60 candidates, whose noise is as large as what tells them apart; one may nearly diverge."""
    quality = rng.standard_normal(60)
    quality[0] += outlier
    return quality + rng.standard_normal(60), quality + rng.standard_normal(60)


@pytest.mark.parametrize("outlier", [0.0, 100.0])
def test_the_ceiling_is_that_of_two_whole_replicates_and_no_outlier_lifts_it(outlier: float) -> None:
    ours, theirs = [], []
    for seed in range(20):
        first, second = noisy(np.random.default_rng(seed), outlier=outlier)
        few = np.where(np.arange(60) % 4 == 0, second, np.nan)
        ours.append(told(first, first.tolist(), few)["ceiling"])
        reliability = float(Labels(np.stack([first, second], axis=1)).reliability()[0])
        theirs.append(float(ceiling_of_tau(1.0, reliability / (2.0 - reliability))))  # of one, from that of the mean
    assert np.mean(ours) == pytest.approx(np.mean(theirs), abs=0.05)
    assert np.mean(ours) == pytest.approx(0.5, abs=0.05)  # 2 / pi arcsin sqrt(1 / 2)


def test_noise_needs_some_pairs() -> None:
    losses = np.arange(10.0)
    assert noise_of_scores(losses, np.where(losses < 3, losses, np.nan)) is None
    assert noise_of_scores(losses, np.where(losses < 4, losses, np.nan)) == 0.0


def test_those_trained_twice_are_spread_over_the_order() -> None:
    judged = [Judged(str(at), True, float(at), None if at == 19 else 0.0) for at in range(20)]
    assert [one.loss for one in spread(judged, 4)] == [0.0, 6.0, 12.0, 18.0]
    assert len(spread(judged, 100)) == 19
    assert spread(judged, 0) == []


def test_too_few_candidates_have_no_order() -> None:
    found = told(np.array([1.0, 2.0, 3.0]), [1.0, 2.0, 3.0])
    assert "tau" not in found
    assert found["reason"] == "an order needs at least 6 candidates that both know, and there are 3"
