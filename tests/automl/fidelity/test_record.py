from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from automl.fidelity import AUDIT_STAGE, AuditPlan, Verdict, accepted, audit_of, needed
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Point, Trial, TrialState
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings
from tests.automl.fidelity.ladders import LADDER, PLAN, audit_trials, failed


def _candidates(count: int = 24) -> list[Candidate]:
    rng = np.random.default_rng(5)
    return [Bitstrings().sample(rng) for _ in range(count)]


def test_a_rung_of_the_right_order_is_accepted_and_one_of_another_order_refused() -> None:
    wrong, right = audit_of(audit_trials(wrong=(-2,)), PLAN)
    assert (wrong.verdict, right.verdict) == (Verdict.REFUSED, Verdict.ACCEPTED)
    assert accepted((wrong, right)) == (LADDER.fidelities[1],)


def test_an_empty_record_has_audited_nothing() -> None:
    assert [(one.verdict, one.reason) for one in audit_of([], PLAN)] == [(Verdict.UNDECIDED, "not audited yet")] * 2


def test_trials_of_other_stages_are_no_part_of_an_audit() -> None:
    searched = [replace(trial, stage="search") for trial in audit_trials()]
    assert {one.verdict for one in audit_of(searched, PLAN)} == {Verdict.UNDECIDED}


def test_a_step_counts_when_all_of_its_trials_have_ended() -> None:
    trials = audit_trials()
    last_of_step = max(trial.number for trial in trials if trial.suggestion.fidelity.rung == -1)
    audit = audit_of([trial for trial in trials if trial.number != last_of_step], PLAN)
    assert [one.verdict for one in audit] == [Verdict.ACCEPTED, Verdict.UNDECIDED]


def test_the_order_in_which_trials_are_given_does_not_matter() -> None:
    trials = audit_trials(wrong=(-2,))
    assert audit_of(trials[::-1], PLAN) == audit_of(trials, PLAN)


def test_full_training_comes_under_replicates_1_and_2_and_rungs_under_3_and_4_a_group_each() -> None:
    groups = needed([], PLAN, _candidates())
    assert [(one[0].fidelity.rung, one[0].replicate, len(one)) for one in groups] == [
        (0, 1, 12),
        (0, 2, 12),
        (-2, 3, 12),
        (-2, 4, 12),
        (-1, 3, 12),
        (-1, 4, 12),
    ]


def test_what_the_record_has_is_not_asked_for_again() -> None:
    trials = audit_trials()[:7]
    asked = [one.identity for group in needed(trials, PLAN, _candidates()) for one in group]
    assert len(asked) == 6 * 12 - 7
    assert not {trial.suggestion.identity for trial in trials} & set(asked)


def test_nothing_is_needed_once_every_rung_is_decided() -> None:
    assert needed(audit_trials(wrong=(-1, -2)), PLAN, _candidates()) == ()


def test_a_space_without_more_candidates_ends_an_audit_undecided() -> None:
    few = needed([], PLAN, _candidates(5))
    assert sum(len(group) for group in few) == 6 * 5
    asked = [one for group in few for one in group]
    trials = [
        Trial(at, AUDIT_STAGE, one, TrialState.COMPLETE, Evaluation({"ne": Metric(0.1 * at)}))
        for at, one in enumerate(asked)
    ]
    assert needed(trials, PLAN, _candidates(5)) == ()
    assert {one.verdict for one in audit_of(trials, PLAN)} == {Verdict.UNDECIDED}


def test_failed_candidates_are_left_out_of_both_sides_and_counted() -> None:
    trials = audit_trials()
    trials[0] = failed(trials[0], Failure(FailureKind.DIVERGED, "the loss is not finite"))
    for one in audit_of(trials, PLAN):
        assert (one.candidates, one.failed, one.verdict) == (11, 1, Verdict.ACCEPTED)


def test_costs_are_shares_of_full_training() -> None:
    def costly(trial: Trial) -> Trial:
        rows, seconds = {-2: (100, 1.0), -1: (500, 4.0), 0: (1000, 10.0)}[trial.suggestion.fidelity.rung]
        assert trial.evaluation is not None
        return replace(trial, evaluation=replace(trial.evaluation, curve=(Point(rows, {}),), seconds=seconds))

    audit = audit_of([costly(trial) for trial in audit_trials()], PLAN)
    assert [one.rows_share for one in audit] == pytest.approx([0.1, 0.5])
    assert [one.seconds_share for one in audit] == pytest.approx([0.1, 0.4])


def test_a_metric_to_maximise_is_audited_by_its_loss() -> None:
    mirrored = [
        replace(trial, evaluation=Evaluation({"auc": Metric(-trial.value("ne"))}))  # type: ignore[operator]  # measured
        for trial in audit_trials()
    ]
    plan = AuditPlan(LADDER, Objective("auc"), PLAN.rule)
    assert [one.agreement for one in audit_of(mirrored, plan)] == [
        one.agreement for one in audit_of(audit_trials(), PLAN)
    ]
