"""Start points: the user's own model, where the space can say it."""

from __future__ import annotations

from automl.control import BASELINE_ORIGIN
from evaluators import Trial, TrialState
from searchspaces import Candidate, SearchSpace, SearchSpaceError


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
