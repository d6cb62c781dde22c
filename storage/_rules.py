"""Rules that every store keeps, written once: how a trial ends, and what is refused."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from evaluators import Evaluation, Failure, FailureKind, Suggestion, Trial, TrialState
from searchspaces import did_you_mean
from storage._errors import AskTakenError, FinishedTrialError, StorageError, StudyNotFound
from storage._masking import masked

Outcome = tuple[int, Evaluation | Failure]
"""A trial's number, and what came of it."""

MAX_LOSSES = 10
"""How often a worker may be lost with a trial before the trial counts as the cause."""


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
        failure=_storable(outcome) if isinstance(outcome, Failure) else None,
        finish_order=finish_order,
        finished_at=finished_at,
    )


def _storable(failure: Failure) -> Failure:
    """With a mark in the place of what no database takes: a reason may quote the last words of a broken process."""
    reason = "".join("\ufffd" if one == "\0" or "\ud800" <= one <= "\udfff" else one for one in failure.reason)
    return failure if reason == failure.reason else replace(failure, reason=reason)


def begun(
    suggestions: Sequence[Suggestion], *, first: int, stage: str, ask_number: int, started_at: float | None
) -> list[Trial]:
    """New trials, numbered from `first`: WAITING, or RUNNING where they start at once."""
    state = TrialState.WAITING if started_at is None else TrialState.RUNNING
    return [
        Trial(first + position, stage, suggestion, state, ask_number=ask_number, started_at=started_at)
        for position, suggestion in enumerate(suggestions)
    ]


def waiting(trial: Trial) -> Trial:
    """The trial in the queue again, the same but for its lease."""
    return replace(trial, state=TrialState.WAITING, started_at=None)


def lost_too_often(trial: Trial, *, finish_order: int, finished_at: float) -> Trial:
    """The trial after the loss that makes `MAX_LOSSES`: ended as the cause."""
    losses = trial.losses + 1
    reason = f"it took its worker with it {losses} times; the system's log of that time may say what ended the process"
    ended = replace(trial, losses=losses)
    return finished(ended, Failure(FailureKind.CRASHED, reason), finish_order=finish_order, finished_at=finished_at)


def to_end(
    study: str, outcomes: Sequence[Outcome], states: Mapping[int, TrialState], *, held: Collection[int] | None = None
) -> list[Outcome]:
    """The outcomes that count: all, or where a worker ends its trials, those of the trials `held` by it.

    Raises:
        FinishedTrialError: a trial ended before, or is named twice.
        StorageError: the study has no such trial.
    """
    seen: set[int] = set()
    for number, _ in outcomes:
        if number not in states:
            raise StorageError(f"study {study!r} has no trial {number}; begin it before it ends")
        if number in seen or (held is None and states[number].is_finished):
            raise FinishedTrialError(
                f"a finished trial never changes, but trial {number} of study {study!r} was ended a second time; "
                "begin a new trial for another measurement"
            )
        seen.add(number)
    return [outcome for outcome in outcomes if held is None or outcome[0] in held]


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
