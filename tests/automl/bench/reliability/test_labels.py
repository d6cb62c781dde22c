"""Labels of planted logits, without a training."""

from __future__ import annotations

import numpy as np
import pytest

from automl.bench.reliability.labels import DEFAULT, NAIVE, ON_THE_STREAM, Labels, mixed
from evaluators._training.jackknife import Estimate
from evaluators._training.metrics import quality

ROWS, STEPS = 400, 20


def _left(rng: np.random.Generator, truth: np.ndarray, strength: float) -> dict[str, np.ndarray]:
    return {
        "last": strength * truth,
        "averaged": strength * truth + 0.01,
        "losses": 10.0 * (0.7 - 0.1 * strength) + 0.1 * rng.random(STEPS),
        "rows": np.full(STEPS, 10.0),
        "clicks": np.tile([4.0, 5.0, 6.0, 5.0], STEPS // 4),
    }


def test_labels_are_of_the_asked_rows_and_larger_where_better() -> None:
    rng = np.random.default_rng(1)
    truth = rng.standard_normal(ROWS)
    labels = (rng.random(ROWS) < 1.0 / (1.0 + np.exp(-truth))).astype(float)
    rows = np.arange(ROWS) % 2 == 0
    good, poor, control = (_left(rng, truth, strength) for strength in (1.0, 0.2, 0.5))
    better, worse = (Labels(labels, rows).all_of(one, control, one) for one in (good, poor))
    assert all(better[name] > worse[name] for name in better)
    assert better[NAIVE] == pytest.approx(-quality(good["last"][rows], labels[rows])["ne"].value)
    assert better[DEFAULT] > 0 > worse[DEFAULT]
    assert set(ON_THE_STREAM) < set(better)


def test_a_mix_weighs_by_inverse_variances() -> None:
    sure, vague = Estimate(1.0, np.array([0.9, 1.1])), Estimate(2.0, np.array([1.8, 2.2]))
    assert mixed(sure, vague) == pytest.approx((1.0 * 4 + 2.0) / 5)
