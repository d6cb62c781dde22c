"""The control: chosen once, trained once for each plan, beside every cohort; and who is stopped for being worse."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch

from evaluators._evaluation import Evaluation
from evaluators._training import controls as module
from evaluators._training.controls import Controls, race
from evaluators._training.evaluate import Job, Reference, evaluate_cohort, train_jobs
from evaluators._training.racing import RacingRule
from evaluators._training.search_data import SearchData
from evaluators._training.session import Asked, Session
from evaluators._training.settings import TrainingSettings
from evaluators._trial import Fidelity, Suggestion
from searchspaces import Candidate, Options
from tests.evaluators.small_data import mlp

SETTINGS = TrainingSettings(batch_size=32)
GOOD, BAD = mlp(16, learning_rate=1e-2), mlp(4, learning_rate=1e-5)


def _controls(data: SearchData, *candidates: Candidate) -> Controls:
    return Controls(candidates, data, SETTINGS, seed=5, dtype=torch.float32)


def test_the_best_of_several_is_the_control(data: SearchData) -> None:
    found = _controls(data, BAD, GOOD).beside(SETTINGS, seed=5, fidelity=Options())
    alone = _controls(data, GOOD).beside(SETTINGS, seed=5, fidelity=Options())
    assert found is not None
    assert alone is not None
    np.testing.assert_array_equal(found.losses, alone.losses)


def test_the_control_is_trained_once_for_each_plan(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []

    def counted(jobs: Sequence[Job], data: SearchData, *, seed: int, **ways: Any) -> dict[int, Any]:
        calls.append(seed)
        return dict(train_jobs(jobs, data, seed=seed, **ways))

    monkeypatch.setattr(module, "train_jobs", counted)
    controls = _controls(data, GOOD)
    for seed in (5, 6, 5, 6):
        controls.beside(SETTINGS, seed=seed, fidelity=Options())
    controls.beside(TrainingSettings(batch_size=64), seed=5, fidelity=Options(batch_size=64))
    assert calls == [5, 6, 5]


def test_a_control_that_cannot_be_trained_leaves_trials_without_a_gain(data: SearchData) -> None:
    controls = _controls(data, mlp(learning_rate=1e30))
    assert controls.beside(SETTINGS, seed=5, fidelity=Options()) is None
    ((_, outcome),) = Session(SETTINGS, data, controls=controls).outcomes([Asked(Suggestion(GOOD), 5)])
    assert isinstance(outcome, Evaluation)
    assert "ne_gain" not in outcome.metrics


def test_the_control_has_no_gain_over_itself_and_a_worse_one_a_loss_that_is_sure(data: SearchData) -> None:
    session = Session(SETTINGS, data, controls=_controls(data, GOOD))
    outcomes = dict(session.outcomes([Asked(Suggestion(one), 5) for one in (GOOD, BAD)]))
    same, worse = outcomes[0], outcomes[1]
    assert isinstance(same, Evaluation)
    assert isinstance(worse, Evaluation)
    assert (same.metrics["ne_gain"].value, same.metrics["ne_gain"].stderr) == (0.0, 0.0)
    loss = worse.metrics["ne_gain"]
    assert loss.stderr is not None
    assert loss.value < -3 * loss.stderr
    assert worse.value("ne_progressive_gain") < 0


def test_a_loser_is_stopped_and_the_others_do_not_notice(data: SearchData) -> None:
    settings = TrainingSettings(batch_size=4)
    reference = Controls([GOOD], data, settings, seed=5, dtype=torch.float32).beside(
        settings, seed=5, fidelity=Options()
    )
    assert reference is not None
    rule = RacingRule()
    jobs = [Job(one, settings.overridden(one.training)) for one in (GOOD, mlp(64, learning_rate=1e-6))]
    raced = dict(
        evaluate_cohort(jobs, data, seed=5, reference=reference, racing=lambda flops: race(flops, rule, reference))
    )
    ((_, alone),) = evaluate_cohort(jobs[:1], data, seed=5, reference=reference)
    kept, stopped = raced[0], raced[1]
    assert isinstance(kept, Evaluation)
    assert isinstance(stopped, Evaluation)
    assert isinstance(alone, Evaluation)
    assert kept.stopped_at is None
    assert kept.value("ne") == alone.value("ne")
    assert stopped.stopped_at is not None
    assert stopped.stopped_at < 2000 == kept.curve[-1].rows


def test_audits_are_not_raced(data: SearchData) -> None:
    settings = TrainingSettings(batch_size=4)
    controls = Controls([GOOD], data, settings, seed=5, dtype=torch.float32)
    session = Session(settings, data, controls=controls, racing=RacingRule())
    loser = mlp(64, learning_rate=1e-6)
    origins = ("audit", "mutant")
    found = [next(iter(session.outcomes([Asked(Suggestion(loser, Fidelity(), origin=one), 5)])))[1] for one in origins]
    assert [one.stopped_at is None for one in found if isinstance(one, Evaluation)] == [True, False]


def test_a_look_is_taken_once(data: SearchData) -> None:
    rule = RacingRule(looks=(0.5,))
    reference = Reference(np.full(100, 0.1), np.zeros(1), flops=1.0)
    judge = race([10.0], rule, reference)
    rows, noise = np.full(60, 1), np.random.default_rng(0).normal(0, 1e-3, 60)
    assert judge({0: 0.9 + noise}, rows[:60], 0.6) == [0]
    assert judge({0: 0.9 + noise}, rows[:60], 0.6) == []
