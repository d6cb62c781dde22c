"""Rules that every store keeps, written once: how a trial ends, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from evaluators import Evaluation, Failure, Trial, TrialState
from searchspaces import did_you_mean
from storage._errors import AskTakenError, FinishedTrialError, StorageError, StudyNotFound
from storage._masking import masked


def final_state(outcome: Evaluation | Failure) -> TrialState:
    """FAIL for a failure, PRUNED for an evaluation that was stopped early, else COMPLETE."""
    if isinstance(outcome, Failure):
        return TrialState.FAIL
    return TrialState.COMPLETE if outcome.stopped_at is None else TrialState.PRUNED


def finished(trial: Trial, outcome: Evaluation | Failure, *, finish_order: int, finished_at: float) -> Trial:
    """The trial with its outcome."""
    return replace(
        trial,
        state=final_state(outcome),
        evaluation=None if isinstance(outcome, Failure) else outcome,
        failure=outcome if isinstance(outcome, Failure) else None,
        finish_order=finish_order,
        finished_at=finished_at,
    )


def unfinished(study: str, numbers: Sequence[int], states: Mapping[int, TrialState]) -> None:
    """Returns silently where all of `numbers` may end.

    Raises:
        FinishedTrialError: one of them ended before, or is named twice.
        StorageError: the study has no such trial.
    """
    seen: set[int] = set()
    for number in numbers:
        if number not in states:
            raise StorageError(f"study {study!r} has no trial {number}; begin it before it ends")
        if states[number].is_finished or number in seen:
            raise FinishedTrialError(
                f"a finished trial never changes, but trial {number} of study {study!r} was ended a second time; "
                "begin a new trial for another measurement"
            )
        seen.add(number)


def next_ask(study: str, stage: str, ask_number: int, *, answered: int) -> None:
    """Returns silently where the ask is the next one of its stage; `answered` counts those before.

    Raises:
        AskTakenError: it was answered before, or asks between were left out.
    """
    if ask_number != answered:
        raise AskTakenError(
            f"each ask is answered once and in order, but ask {ask_number} of stage {stage!r} of study {study!r} was "
            f"begun where {answered} is next; read the study's trials anew and ask again with that number"
        )


def study_not_found(name: str, known: Sequence[str], url: str) -> StudyNotFound:
    """The error for an unknown name, with the closest known one."""
    return StudyNotFound(f"no study {name!r} in {masked(url)}; {did_you_mean(name, known)}")
