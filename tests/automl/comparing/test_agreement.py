from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from automl.comparing._account import training_noise
from automl.comparing._agreement import agreement_of
from evaluators import Evaluation, Metric, Suggestion, Trial, TrialState
from predictors import rank_correlation
from searchspaces import Candidate, Options


def trials_of(values: list[float]) -> list[Trial]:
    return [
        Trial(
            number,
            "search",
            Suggestion(Candidate(None, Options(number=number))),
            TrialState.COMPLETE,
            Evaluation({"ne": Metric(value)}),
        )
        for number, value in enumerate(values)
    ]


def opinions_on(trials: list[Trial], scores: list[float | None]) -> dict[str, float | None]:
    return {one.candidate.fingerprint: score for one, score in zip(trials, scores, strict=True)}


def told(values: list[float], scores: list[float | None], *, noise: float = 0.0) -> dict[str, Any]:
    trials = trials_of(values)
    return agreement_of(trials, opinions_on(trials, scores), metric="ne", noise=noise, seed=1)


def test_tau_is_that_of_the_candidates_that_both_know() -> None:
    rng = np.random.default_rng(2)
    values, scores = rng.standard_normal(12).tolist(), rng.standard_normal(12).tolist()
    found = told(values, [*scores[:10], None, None])
    assert found["candidates"] == 10
    assert found["tau"] == pytest.approx(rank_correlation(scores[:10], values[:10]))
    assert found["low"] <= found["tau"] <= found["high"]


def test_without_noise_the_ceiling_is_one_and_with_much_of_it_there_is_none() -> None:
    values = np.linspace(0.9, 1.0, 20).tolist()
    assert told(values, values)["ceiling"] == pytest.approx(1.0)
    assert told(values, values)["share"] == pytest.approx(1.0)
    loud = told(values, values, noise=1.0)
    assert (loud["ceiling"], loud["share"]) == (0.0, None)
    assert 0.5 < told(values, values, noise=0.01)["ceiling"] < 1.0


def test_too_few_candidates_have_no_order() -> None:
    found = told([1.0, 2.0, 3.0], [1.0, 2.0, 3.0])
    assert "tau" not in found
    assert found["reason"] == "an order needs at least 6 candidates that both know, and there are 3"


@dataclass
class Finished:
    """As much of a run as its noise takes."""

    finals: dict[str, Any]


def test_noise_is_what_seeds_change_beside_what_they_change_for_all() -> None:
    rng = np.random.default_rng(1)
    spread = 0.002
    values = 0.9 + rng.standard_normal((40, 1)) + 0.1 * rng.standard_normal(4) + spread * rng.standard_normal((40, 4))
    entrants = [{"by_seed": [{"valid_ne": float(value)} for value in row]} for row in values]
    runs = [Finished({"entrants": entrants[:20]}), Finished({"entrants": entrants[20:]})]
    assert training_noise(runs) == pytest.approx(spread, rel=0.15)  # type: ignore[arg-type]
    assert training_noise([Finished({"entrants": entrants[:1]})]) == 0.0  # type: ignore[list-item]
