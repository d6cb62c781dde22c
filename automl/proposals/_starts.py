"""Start points and what else is known before a search begins: the user's own model, and human-made ones."""

from __future__ import annotations

from automl.control import BASELINE_ORIGIN
from evaluators import Suggestion, Trial, TrialState
from searchspaces import Candidate, SearchSpace, SearchSpaceError

HUMAN_MADE = "zoo:"
"""How the origin of a human-made architecture begins."""


def why_outside(space: SearchSpace, candidate: Candidate) -> str:
    """Why the candidate is no point of the space; empty where it is one."""
    try:
        space.validate(candidate)
        space.encode(candidate)
    except SearchSpaceError as error:
        return str(error)
    return ""


def is_start(trial: Trial, space: SearchSpace) -> bool:
    """Whether a searcher may work from this baseline: the user's own, measured, and a point of the space."""
    is_own = trial.stage == "baseline" and trial.suggestion.origin == BASELINE_ORIGIN
    return is_own and trial.state is TrialState.COMPLETE and not why_outside(space, trial.candidate)


def is_baseline(suggestion: Suggestion) -> bool:
    """Whether it is the user's own model or a human-made one, and not proposed by a search."""
    return suggestion.origin == BASELINE_ORIGIN or suggestion.origin.startswith(HUMAN_MADE)


def is_measured_baseline(trial: Trial, space: SearchSpace) -> bool:
    """Whether it is a baseline, human-made ones included, that has a value and is a point of the space.

    What a ladder stopped below full training is told as a baseline too, but its origin is that of a search.
    """
    is_measured = trial.stage == "baseline" and trial.state is TrialState.COMPLETE and is_baseline(trial.suggestion)
    return is_measured and not why_outside(space, trial.candidate)
