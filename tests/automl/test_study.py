from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from automl import Study, StudyError, create_study, load_study
from automl.study import Callback
from evaluators import Evaluation, Failure, FailureKind, Metric, Suggestion, Trial, TrialState
from storage import FinishedTrialError, StudyExists, StudyNotFound
from tests.automl.planted_study import planted_data, planted_study


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    made = planted_study(tmp_path, searcher={"name": "random_search"})
    yield made
    made.close()


def _reloaded(study: Study) -> Study:
    return load_study(study.name, storage=study.config.storage)


def test_optimize_runs_as_many_trials_as_asked(study: Study) -> None:
    study.optimize(7)
    assert [trial.number for trial in study.trials] == list(range(7))
    assert {trial.state for trial in study.trials} == {TrialState.COMPLETE}


def test_the_front_is_beaten_by_no_trial(study: Study) -> None:
    study.optimize(30)
    front = {trial.number for trial in study.best_trials}
    values = {trial.number: (trial.value("ne") or 0.0, trial.value("flops") or 0.0) for trial in study.trials}
    beaten = {one for one, value in values.items() if any(_beats(other, value) for other in values.values())}
    assert front == set(values) - beaten


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def test_the_budget_ends_a_study(tmp_path: Path) -> None:
    study = planted_study(tmp_path, budget={"trials": 4})
    study.optimize()
    study.optimize()
    assert len(study.trials) == 4
    study.close()


def test_a_larger_budget_goes_on(tmp_path: Path) -> None:
    study = planted_study(tmp_path, budget={"trials": 2})
    study.optimize()
    study.set_trials(5)
    study.optimize()
    assert len(_reloaded(study).trials) == 5
    study.close()


SOON_GUIDED = {"name": "autoctr", "population": 5, "mutants": 20}
"""Proposes mutants that a model picks from the sixth trial on, where the default draws its first twenty by chance."""


def test_same_seed_same_proposals(tmp_path: Path) -> None:
    one, other = (planted_study(tmp_path, name, seed=3, searcher=SOON_GUIDED, budget={"trials": 12}) for name in "ab")
    for study in (one, other):
        study.optimize()
    assert _fingerprints(one) == _fingerprints(other)
    assert _fingerprints(one) != _fingerprints(planted_study(tmp_path, "c", seed=4))


def _fingerprints(study: Study) -> list[str]:
    return [trial.candidate.fingerprint for trial in study.trials]


def test_a_resumed_study_proposes_what_an_undisturbed_one_does(tmp_path: Path) -> None:
    calm = planted_study(tmp_path, "calm", seed=1, searcher=SOON_GUIDED)
    calm.optimize(20)
    rough = planted_study(tmp_path, "rough", seed=1, searcher=SOON_GUIDED)
    for trials in (3, 9, 8):
        rough.optimize(trials)
        rough.close()
        rough = _reloaded(rough)
    assert _fingerprints(calm) == _fingerprints(rough)


def test_a_trial_of_a_dead_process_is_evaluated_again_under_its_number(study: Study) -> None:
    study.optimize(2)
    asked = study.ask()
    study.store.requeue_lost(study.name, worker=study.store.workers(study.name)[0])
    study.optimize(1)
    assert study.trials[asked.number].candidate == asked.candidate
    assert len(study.trials) == 3


def test_what_a_live_process_has_asked_for_stays_with_it(study: Study) -> None:
    asked = study.ask()
    other = _reloaded(study)
    other.optimize(1)
    assert [(trial.number, trial.state.value) for trial in other.trials] == [(asked.number, "RUNNING"), (1, "COMPLETE")]
    other.close()


def test_a_study_that_another_driver_works_on_is_refused(study: Study) -> None:
    study.optimize(1)
    study.store.begin(study.name, [_suggestion(study)], ask_number=1, stage="search", worker="elsewhere/1/0.0/0")
    with pytest.raises(StudyError, match=r"is being worked on by process elsewhere/1/0.0/0; .* `automl work s`"):
        study.optimize(1)


def test_a_study_that_another_driver_is_about_to_work_on_is_refused(study: Study) -> None:
    other = _reloaded(study)
    with study.driving(), pytest.raises(StudyError, match=f"is being worked on by process {re.escape(study.worker)}"):
        other.optimize(1)
    other.optimize(1)
    other.close()


@pytest.mark.parametrize("role", ["joined", "for elsewhere/1/0.0/0"])
def test_workers_of_others_keep_a_driver_out_only_where_they_have_one(study: Study, role: str) -> None:
    study.optimize(1)
    worker = f"elsewhere/2/0.0/0 {role}"
    study.store.begin(study.name, [_suggestion(study)], ask_number=1, stage="search", worker=worker)
    if role == "joined":
        assert study.recover() == 0
        return
    with pytest.raises(StudyError, match="is being worked on by process"):
        study.recover()


def test_the_budget_counts_what_others_hold(tmp_path: Path) -> None:
    study = planted_study(tmp_path, budget={"trials": 3})
    study.ask()
    study.optimize()
    assert [trial.state.value for trial in study.trials] == ["RUNNING", "COMPLETE", "COMPLETE"]
    study.close()


def test_a_trial_for_somebody_who_outlives_the_process_is_not_taken_for_lost(study: Study) -> None:
    study.ask(holder="Ada")
    assert study.store.workers(study.name) == ["Ada asked"]
    assert study.recover() == 0


def test_abandoned_trials_go_back_without_a_loss(study: Study) -> None:
    study.store.begin(study.name, [_suggestion(study)], ask_number=0, stage="search", worker=study.worker)
    study.abandon()
    assert [(trial.state.value, trial.losses) for trial in study.trials] == [("WAITING", 0)]


def _suggestion(study: Study) -> Suggestion:
    return Suggestion(study.wiring.space.sample(np.random.default_rng(99)))


def test_an_evaluator_that_raises_returns_its_trials_to_the_queue(study: Study) -> None:
    def boom(_study: Study, _trial: Trial) -> None:
        raise KeyboardInterrupt

    callbacks: list[Callback] = [boom]
    with pytest.raises(KeyboardInterrupt):
        study.optimize(3, callbacks=callbacks)
    study.optimize(2)
    assert [trial.state for trial in study.trials] == [TrialState.COMPLETE] * 3


def test_ask_and_tell_without_an_evaluator(study: Study) -> None:
    trial = study.ask()
    told = study.tell(trial.number, {"ne": 0.9, "flops": 100.0})
    assert told.evaluation == Evaluation({"ne": Metric(0.9), "flops": Metric(100.0)})
    assert study.best_trials == [told]


def test_two_asks_differ(study: Study) -> None:
    assert study.ask().candidate.fingerprint != study.ask().candidate.fingerprint


def test_a_metric_that_is_not_finite_is_a_failure(study: Study) -> None:
    told = study.tell(study.ask().number, {"ne": float("nan")})
    assert told.failure == Failure(FailureKind.DIVERGED, "ne is nan, which is no finite number")


def test_a_finished_trial_never_changes(study: Study) -> None:
    trial = study.ask()
    study.tell(trial, {"ne": 0.9, "flops": 1.0})
    with pytest.raises(FinishedTrialError):
        study.tell(trial, {"ne": 0.1, "flops": 1.0})


def test_an_objective_that_is_not_told_is_asked_for(study: Study) -> None:
    with pytest.raises(StudyError, match="was told no 'flops'"):
        study.tell(study.ask(), {"ne": 0.9})


def test_failed_trials_count_for_the_budget_and_not_for_the_front(tmp_path: Path) -> None:
    study = planted_study(tmp_path, evaluator={"name": "planted", "fail_every": 2})
    study.optimize(10)
    assert len(study.trials) == 10
    assert 0 < sum(trial.state is TrialState.FAIL for trial in study.trials) < 10
    assert all(trial.state is TrialState.COMPLETE for trial in study.best_trials)
    study.close()


def test_baselines_come_first_and_are_not_counted(tmp_path: Path) -> None:
    study = planted_study(tmp_path, baselines=["logistic_regression", "dcnv2"])
    study.optimize(3)
    assert [trial.stage for trial in study.trials] == ["baseline"] * 2 + ["search"] * 3
    assert all(trial.stage == "search" for trial in study.best_trials)
    study.close()


def test_stop_ends_after_the_running_trial(study: Study) -> None:
    def stop(one: Study, _trial: Trial) -> None:
        one.stop()

    study.optimize(10, callbacks=[stop])
    assert len(study.trials) == 1


def test_a_name_is_taken_once(study: Study, tmp_path: Path) -> None:
    with pytest.raises(StudyExists, match="'s'"):
        planted_study(tmp_path)
    assert planted_study(tmp_path, load_if_exists=True).record.uid == study.record.uid


def test_an_unknown_study_is_named(study: Study) -> None:
    with pytest.raises(StudyNotFound, match="'t'"):
        load_study("t", storage=study.config.storage)


def test_an_exhausted_space_ends_the_study(tmp_path: Path) -> None:
    space = {"name": "autoctr", "blocks": 1, "operators": ["fm"]}
    study = planted_study(tmp_path, space=space, searcher={"name": "random_search"})
    study.optimize(50)
    assert 1 < len(study.trials) < 50
    with pytest.raises(StudyError, match="has tried every candidate"):
        study.ask()
    study.close()


def test_other_data_is_refused(tmp_path: Path) -> None:
    study = planted_study(tmp_path)
    facts = {**study.record.facts, "data": {**study.record.facts["data"], "digest": "sha256:0"}}
    study.record = replace(study.record, facts=facts)
    with pytest.raises(StudyError, match="goes on with the data it began with"):
        study.optimize(1)


def test_objectives_may_be_names(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'automl.db'}"
    study = create_study("o", data=planted_data(tmp_path / "data"), storage=storage, objectives=["auc"], baselines=[])
    assert [(one.metric, one.goal.value) for one in study.objectives] == [("auc", "maximize")]
    study.close()
