"""What searchers share: where to start, whom to keep, whom to follow, and what has not been tried."""

from automl.proposals._dominance import dominance_ranks, violation
from automl.proposals._gains import GainScale
from automl.proposals._guidance import (
    Guidance,
    count_mistakes,
    fitness,
    guidance_mistakes,
    objective_mistakes,
    share_mistakes,
)
from automl.proposals._known_costs import KnownCosts
from automl.proposals._pool import Pool
from automl.proposals._rank_selection import rank_probabilities, select_parent
from automl.proposals._scalarising import scalarised
from automl.proposals._starts import is_baseline, is_measured_baseline, is_start, why_outside
from automl.proposals._survivors import absolute_ages, published_ages, survivors
from automl.proposals._unseen import Identity, sample_unseen, unseen_mutant, unseen_mutants

__all__ = [
    "GainScale",
    "Guidance",
    "Identity",
    "KnownCosts",
    "Pool",
    "absolute_ages",
    "count_mistakes",
    "dominance_ranks",
    "fitness",
    "guidance_mistakes",
    "is_baseline",
    "is_measured_baseline",
    "is_start",
    "objective_mistakes",
    "published_ages",
    "rank_probabilities",
    "sample_unseen",
    "scalarised",
    "select_parent",
    "share_mistakes",
    "survivors",
    "unseen_mutant",
    "unseen_mutants",
    "violation",
    "why_outside",
]
