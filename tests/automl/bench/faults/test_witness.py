"""A witness notices what became of finished trials, also after it was stopped."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from automl.bench.faults.finding import Finding
from automl.bench.faults.witness import Witness, doubled, quality
from evaluators import Evaluation, Failure, FailureKind, Metric, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options


def _trial(number: int, ne: float = 0.9, *, width: int | None = None) -> Trial:
    candidate = Candidate(None, Options(width=number if width is None else width))
    outcome = Evaluation({"ne": Metric(ne)})
    return Trial(number, "search", Suggestion(candidate), TrialState.COMPLETE, outcome, finish_order=number + 1)


def _audited(witness: Witness, trials: list[Trial]) -> Finding:
    return witness.audited(Finding("x", "none"), trials)


def test_a_calm_study_has_lost_nothing(tmp_path: Path) -> None:
    trials = [_trial(0), _trial(1)]
    witness = Witness(tmp_path / "seen")
    witness.look(trials[:1])
    found = _audited(witness, trials)
    assert (found.trials, found.lost, found.doubled, found.changed) == (2, 0, 0, 0)
    assert found.holds


def test_a_trial_that_is_gone_was_lost_also_for_the_next_witness(tmp_path: Path) -> None:
    Witness(tmp_path / "seen").look([_trial(0), _trial(1)])
    assert _audited(Witness(tmp_path / "seen"), [_trial(0)]).lost == 1


def test_a_gap_and_a_trial_that_never_ends_are_lost(tmp_path: Path) -> None:
    waiting = replace(_trial(3), state=TrialState.WAITING, evaluation=None, finish_order=None)
    assert _audited(Witness(tmp_path / "seen"), [_trial(0), _trial(2), waiting]).lost == 2


def test_a_trial_that_was_changed_and_changed_back_was_changed(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "seen")
    for ne in (0.9, 0.8, 0.9):
        witness.look([_trial(0, ne)])
    assert _audited(witness, [_trial(0)]).changed == 1


def test_doubles_share_a_number_or_an_identity() -> None:
    assert doubled([_trial(0), _trial(1)]) == 0
    assert doubled([_trial(0), _trial(0, width=7)]) == 1
    assert doubled([_trial(0), _trial(1, width=0)]) == 1
    assert doubled([_trial(0), replace(_trial(1, width=0), stage="baseline")]) == 0


def test_failures_are_counted_by_kind(tmp_path: Path) -> None:
    failed = replace(_trial(1), state=TrialState.FAIL, evaluation=None, failure=Failure(FailureKind.TIMEOUT, "late"))
    assert _audited(Witness(tmp_path / "seen"), [_trial(0), failed]).kinds == {"timeout": 1}


def test_quality_leaves_time_out() -> None:
    slower = replace(_trial(0), evaluation=Evaluation({"ne": Metric(0.9), "train_seconds": Metric(5.0)}, seconds=5.0))
    assert quality(slower) == quality(_trial(0)) != quality(_trial(0, 0.8))
