"""What methods that train a supernet have in common: the spaces that they take, and the score of a candidate."""

from __future__ import annotations

from evaluators import DivergedError, TrainedSupernet
from searchspaces import Candidate, SearchSpace, SearchSpaceError

SCORING = "scoring"
"""The phase of the account in which candidates are scored."""


def model_mistakes(space: SearchSpace) -> list[str]:
    """What is wrong with a space that has no models."""
    if getattr(space, "has_models", True):
        return []
    return ["a supernet is of models, but the space has ways to train one; take a searcher, or another space"]


def score_of(net: TrainedSupernet, candidate: Candidate) -> float | None:
    """`supernet_ne` of a candidate; None where it cannot be built, or diverges."""
    if candidate.architecture is None:
        return None
    try:
        return net.score(candidate.architecture)["supernet_ne"].value
    except (DivergedError, SearchSpaceError):
        return None
