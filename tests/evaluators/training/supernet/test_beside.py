"""A supernet beside a baseline: against trainings of each by itself, and against itself after a stop."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators import EvaluatorError, ScoringSettings, SupernetBesideBaseline, SupernetPlan, SupernetSettings
from evaluators import open_supernet as opened
from evaluators._training.examples import Examples
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.scoring import held_out
from evaluators._training.supernet.settings import Rates
from evaluators._training.supernet.training import Training
from searchspaces import Architecture, zoo
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA, part, write_small_data

SPACE = AutoCTR(SCHEMA, blocks=1, widths=(4, 8), embedding_dim=4)
SETTINGS = SupernetSettings(rows=100, batch_size=30)
SCORING = ScoringSettings(calibration_rows=40, evaluation_rows=50)


def architecture(name: str) -> Architecture:
    found = zoo(name, SCHEMA).architecture
    assert found is not None
    return found


BASELINE = architecture("deepfm")


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small", rows=140).folder


def plan(data: Path, *, seed: int = 1, baseline: Architecture = BASELINE, rate: float = 0.5) -> SupernetPlan:
    return SupernetPlan(data, SPACE, baseline, seed, SETTINGS, SCORING, "cpu", baseline_rate=rate)


def drawn(net: SupernetBesideBaseline, step: int) -> list[Architecture]:
    return net.draw(np.random.default_rng([7, step]), 2, full_path=0.5)


def test_both_see_the_same_rows_and_their_losses_are_those_before_the_step(data: Path) -> None:
    net = opened(plan(data))
    examples = Examples(held_out(part(140, 1), 40)[0], torch.device("cpu"))
    batches = Training(Supernet(SCHEMA, 1), SPACE, examples, SETTINGS).batches()
    alone, beside = Supernet(SCHEMA, 1), Supernet(SCHEMA, 1)
    rows = []
    for step in range(5):
        batch, rates, chosen = next(batches), SETTINGS.rates(step), drawn(net, step)
        found = net.step(chosen)
        rows.append(found.rows)
        expected = alone.step(chosen, batch, rates, batch_size=30) / found.rows
        slower = Rates(0.5 * rates.weights, 0.5 * rates.tables)
        (baseline,) = beside.step([BASELINE], batch, slower, batch_size=30)
        assert found.candidates == pytest.approx(expected.tolist(), rel=1e-6)
        assert found.baseline == pytest.approx(float(baseline) / found.rows, rel=1e-6)
    assert rows == [30, 30, 30, 10, 30]  # a pass ends with what is left


def test_one_that_was_saved_goes_on_as_if_nothing_had_been(data: Path, tmp_path: Path) -> None:
    whole, first, second = (opened(plan(data)) for _ in range(3))
    for step in range(3):
        whole.step(drawn(whole, step))
        first.step(drawn(first, step))
    first.save(tmp_path)
    second.restore(tmp_path)
    assert second.steps == 3
    for step in range(3, 6):
        assert second.step(drawn(second, step)) == whole.step(drawn(whole, step))
    last = drawn(whole, 9)[0]
    assert second.score(last) == whole.score(last)
    assert second.score_baseline() == whole.score_baseline()


def test_scoring_changes_nothing_and_says_its_rows(data: Path) -> None:
    net = opened(plan(data))
    net.step(drawn(net, 0))
    first = net.score(drawn(net, 1)[0])
    net.score_baseline()
    assert net.score(drawn(net, 1)[0]) == first
    assert net.scoring_rows == 50 + 2 * 40
    assert net.peak_bytes() > 10**7


def test_a_checkpoint_of_another_baseline_or_seed_is_refused(data: Path, tmp_path: Path) -> None:
    net = opened(plan(data))
    net.step(drawn(net, 0))
    net.save(tmp_path)
    for other in (plan(data, baseline=architecture("dlrm")), plan(data, seed=2), plan(data, rate=1.0)):
        with pytest.raises(EvaluatorError, match=r"differs in (baseline|baseline_rate|seed);"):
            opened(other).restore(tmp_path)


def test_times_are_told_beside_the_baselines_own(data: Path) -> None:
    net = opened(plan(data))
    assert set(net.serving_of_baseline()) == {"qps", "latency_ms_p50", "latency_ms_p99"}
    assert net.relative_time(BASELINE, metric="qps") == pytest.approx(1.0, abs=0.9)
