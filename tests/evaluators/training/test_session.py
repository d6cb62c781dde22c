"""What a training process makes of a cohort, in process."""

from __future__ import annotations

import pytest

from evaluators import Evaluation, Failure, FailureKind, Suggestion
from evaluators._training import session as module
from evaluators._training.search_data import SearchData
from evaluators._training.session import Asked, Session
from evaluators._training.settings import TrainingSettings
from evaluators._trial import Fidelity
from searchspaces import Candidate, Options
from tests.evaluators.small_data import mlp, suggest


def _outcome(suggestion: Suggestion, data: SearchData, settings: TrainingSettings) -> Evaluation | Failure:
    ((position, outcome),) = Session(settings, data).outcomes([Asked(suggestion, 5)])
    assert position == 0
    return outcome


def _failure(suggestion: Suggestion, data: SearchData) -> Failure:
    outcome = _outcome(suggestion, data, TrainingSettings())
    assert isinstance(outcome, Failure)
    return outcome


def test_the_fidelity_overrides_the_candidate_and_the_candidate_the_evaluator(data: SearchData) -> None:
    settings = TrainingSettings(rows=100, batch_size=10)
    suggestion = Suggestion(mlp(rows=200, passes=2), Fidelity(0, Options(rows=300)))
    outcome = _outcome(suggestion, data, settings)
    assert isinstance(outcome, Evaluation)
    assert outcome.curve[-1].rows == 600


def test_a_huge_learning_rate_diverges(data: SearchData) -> None:
    assert _failure(suggest(mlp(learning_rate=1e30)), data).kind is FailureKind.DIVERGED


def test_a_divergence_in_the_last_step_is_no_broken_rule(data: SearchData) -> None:
    failure = _failure(suggest(mlp(batch_size=2000, learning_rate=1e38)), data)
    assert failure.kind is FailureKind.DIVERGED
    assert "must give finite logits" in failure.reason


@pytest.mark.parametrize(
    ("candidate", "message"),
    [
        (Candidate(), "training needs an architecture"),
        (mlp(learning_rat=1), "no training setting 'learning_rat'"),
        (mlp(width=-1), "'width'"),
    ],
)
def test_a_candidate_that_breaks_a_rule_is_invalid(candidate: Candidate, message: str, data: SearchData) -> None:
    failure = _failure(suggest(candidate), data)
    assert failure.kind is FailureKind.INVALID
    assert message in failure.reason


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (MemoryError(), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 8 bytes"), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("CUDA out of memory. Tried to allocate"), FailureKind.OUT_OF_MEMORY),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), FailureKind.CRASHED),
        (ZeroDivisionError("division by zero"), FailureKind.CRASHED),
    ],
)
def test_any_other_error_fails_the_trial_with_its_last_line(
    error: Exception, kind: FailureKind, data: SearchData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: object, **named: object) -> Evaluation:
        raise error

    monkeypatch.setattr(module, "evaluate_cohort", fail)
    failure = _failure(suggest(mlp()), data)
    assert failure.kind is kind
    assert failure.reason.startswith(type(error).__name__)
    assert str(error) in failure.reason
