"""Truth comes from trainings that nobody saw, and is guessed without luck where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from automl.bench.race.ground import losses
from automl.bench.race.truth import Values, reliability, truth_of
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective
from evaluators._tabular.entries import TRUTH, Entry
from tests.evaluators.small_data import mlp

OBJECTIVES = (Objective("ne"),)


def _planted(count: int, noise: float, seed: int = 0) -> tuple[Values, Values]:
    """True losses and two noisy replicates of each, [count, 2, 1]."""
    rng = np.random.default_rng(seed)
    true = rng.normal(0.8, 0.01, count)
    return true, (true[:, None] + rng.normal(0, noise, (count, 2)))[:, :, None]


def _truth(observed: Values, own: dict[int, list[float | None]]) -> Values:
    numbers = {mlp(8 + at).fingerprint: at for at in range(len(observed))}
    failure = Failure(FailureKind.DIVERGED, "")
    entries = [
        Entry(at, mlp(8 + at), 2 + k, TRUTH, failure if value is None else Evaluation({"ne": Metric(value)}))
        for at, values in own.items()
        for k, value in enumerate(values)
    ]
    return truth_of(observed, entries, numbers, OBJECTIVES, loss=losses)[:, 0]


def test_trainings_of_its_own_are_the_truth_of_a_candidate() -> None:
    _, observed = _planted(6, 0.01)
    found = _truth(observed, {at: [0.5, 0.6] for at in range(3)})
    assert found[:3] == pytest.approx([0.55] * 3)


def test_without_any_the_mean_of_what_was_observed_is_true() -> None:
    _, observed = _planted(6, 0.01)
    assert _truth(observed, {}) == pytest.approx(observed.mean(axis=(1, 2)))


def test_the_rest_is_drawn_to_the_middle_by_what_is_not_reliable() -> None:
    true, observed = _planted(400, 0.02)
    best = np.argsort(observed.mean(axis=(1, 2)))[:100]
    found = _truth(observed, {int(at): [true[at]] for at in best})
    rest = np.setdiff1d(np.arange(400), best)
    raw = observed.mean(axis=(1, 2))
    assert np.abs(found[rest] - true[rest]).mean() < 0.8 * np.abs(raw[rest] - true[rest]).mean()
    assert abs((found[rest] - true[rest]).mean()) < 0.002


def test_what_other_seeds_do_to_all_candidates_is_no_merit() -> None:
    true, observed = _planted(60, 1e-6)
    found = _truth(observed, {at: [true[at] + 0.1] for at in range(10)})
    assert found == pytest.approx(true + 0.1, abs=1e-4)


def test_who_fails_under_a_seed_of_the_truth_is_as_bad_as_the_worst() -> None:
    _, observed = _planted(6, 0.001)
    found = _truth(observed, {0: [0.7, None], 1: [0.7, 0.7], 2: [0.7, 0.7]})
    assert found[0] == found[1:].max()


def test_who_always_failed_has_no_truth() -> None:
    _, observed = _planted(6, 0.001)
    observed[2] = np.nan
    assert np.isnan(_truth(observed, {})[2])


@pytest.mark.parametrize(("noise", "expected"), [(0.0, 1.0), (0.01, 2 / 3), (0.02, 1 / 3)])
def test_reliability_is_the_share_of_variance_that_is_the_candidates_own(noise: float, expected: float) -> None:
    _, observed = _planted(4000, noise)
    assert reliability(observed[:, :, 0] + np.array([0.0, 0.3])) == pytest.approx(expected, abs=0.03)


def test_one_replicate_counts_as_without_noise() -> None:
    _, observed = _planted(10, 0.01)
    assert reliability(observed[:, :1, 0]) == 1.0
