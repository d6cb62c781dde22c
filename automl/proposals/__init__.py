"""What searchers share: where to start, whom to keep, whom to follow, and what has not been tried."""

from automl.proposals._rank_selection import rank_probabilities, select_parent
from automl.proposals._starts import is_start, why_outside
from automl.proposals._survivors import absolute_ages, published_ages, survivors
from automl.proposals._unseen import Identity, sample_unseen, unseen_mutants

__all__ = [
    "Identity",
    "absolute_ages",
    "is_start",
    "published_ages",
    "rank_probabilities",
    "sample_unseen",
    "select_parent",
    "survivors",
    "unseen_mutants",
    "why_outside",
]
