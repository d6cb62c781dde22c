"""One trial in process: what it measures, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest

from evaluators import DivergedError, EvaluatorError
from evaluators._training import evaluate as module
from evaluators._training.evaluate import checked_logits, evaluate_candidate
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from searchspaces import Candidate
from searchspaces.cost import cost
from tests.evaluators.small_data import SCHEMA, mlp

NAMES = {
    "ne", "auc", "logloss", "calibration", "flops", "macs", "params", "embedding_bytes", "examples_per_second",
    "ne_calibrated", "ne_progressive", "qps", "latency_ms_p50", "latency_ms_p99", "peak_memory_bytes", "train_seconds",
}  # fmt: skip
QUALITY = ("ne", "auc", "logloss", "calibration")


def test_an_evaluation_has_all_metrics_and_a_curve(data: SearchData) -> None:
    found = evaluate_candidate(mlp(), data, TrainingSettings(), seed=1)
    assert set(found.metrics) - {"energy_joules"} == NAMES
    assert [point.rows for point in found.curve] == [512, 1024, 1536, 2000]
    assert found.metrics["ne"].stderr is not None
    assert found.seconds > found.value("train_seconds") > 0


def test_costs_are_those_of_the_closed_form(data: SearchData) -> None:
    architecture = mlp().architecture
    assert architecture is not None
    found, price = (
        evaluate_candidate(mlp(), data, TrainingSettings(hash_cap=5), seed=1),
        cost(architecture, SCHEMA.capped(5)),
    )
    assert (found.value("macs"), found.value("flops")) == (price.macs, 2 * price.macs)
    assert (found.value("params"), found.value("embedding_bytes")) == (price.parameters, 4 * 4 * 5 * 3)


def test_the_same_seed_gives_the_same_quality_bit_for_bit(data: SearchData) -> None:
    one, two = (evaluate_candidate(mlp(), data, TrainingSettings(), seed=1) for _ in range(2))
    assert [one.value(name) for name in QUALITY] == [two.value(name) for name in QUALITY]
    assert one.curve == two.curve


def test_another_seed_gives_another_quality(data: SearchData) -> None:
    one, two = (evaluate_candidate(mlp(), data, TrainingSettings(), seed=seed) for seed in (1, 2))
    assert one.value("ne") != two.value("ne")


def test_a_model_learns_the_planted_effect(data: SearchData) -> None:
    settings = TrainingSettings(passes=4, batch_size=64, learning_rate=1e-2)
    found = evaluate_candidate(mlp(), data, settings, seed=1)
    assert found.value("ne") < 0.88
    assert found.value("auc") > 0.73
    assert found.value("calibration") == pytest.approx(1.0, abs=0.15)


def test_a_model_far_worse_than_guessing_has_diverged(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DIVERGED_LOGLOSS", 0.1)
    with pytest.raises(DivergedError, match=r"must have a log loss below 0.10, but it is 0\.\d+ on the evaluated rows"):
        evaluate_candidate(mlp(), data, TrainingSettings(), seed=1)


def test_a_divergence_in_the_last_step_is_seen_in_the_logits(data: SearchData) -> None:
    one_step = TrainingSettings(batch_size=2000, learning_rate=1e38)
    with pytest.raises(
        DivergedError, match=r"must give finite logits, but gives (nan|-?inf) on \d+ of 1000 evaluated rows; lower the"
    ):
        evaluate_candidate(mlp(), data, one_step, seed=1)


def test_finite_logits_pass_unchanged() -> None:
    logits = np.array([-1e300, 0.0, 1e300])
    assert checked_logits(logits) is logits


def test_a_candidate_without_architecture_is_refused(data: SearchData) -> None:
    with pytest.raises(EvaluatorError, match="training needs an architecture, but candidate v1:"):
        evaluate_candidate(Candidate(), data, TrainingSettings(), seed=1)
