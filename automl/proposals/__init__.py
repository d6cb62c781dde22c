"""What searchers share: where to start, whom to keep, whom to follow, and what has not been tried."""

from automl.proposals._asking import in_turn, random_suggestion
from automl.proposals._bounds import KnownBounds, ranks_within_bounds
from automl.proposals._costs import CLOSED_FORM, closed_form_costs, cost_objectives
from automl.proposals._declared import Declared, declare, undominated
from automl.proposals._designs import Spread, design_mistakes, spread_design
from automl.proposals._dominance import dominance_ranks, violation
from automl.proposals._ehvi import expected_hypervolume_improvement, expected_improvement
from automl.proposals._ending import Ending
from automl.proposals._foreseen import ClosedForm, Foreseen, Ground
from automl.proposals._gains import GainScale
from automl.proposals._guidance import (
    Guidance,
    Mutants,
    count_mistakes,
    fitness,
    guidance_mistakes,
    lambdarank,
    objective_mistakes,
    range_mistakes,
    roofline,
    share_mistakes,
)
from automl.proposals._known_costs import KnownCosts
from automl.proposals._learned_costs import KnownAndLearned, LearnedCosts
from automl.proposals._losses import Losses, LossModel, cost_model, quality_first, scaled_loss
from automl.proposals._planning import Aims, Plan, Planner, Promise, diverse_first
from automl.proposals._policy import Policy
from automl.proposals._pool import Proposal, SmallSpace, propose_pool
from automl.proposals._probes import Probes
from automl.proposals._rank_selection import rank_probabilities, select_parent
from automl.proposals._reinforce import Adam, Schedule, policy_gradient, reinforce
from automl.proposals._replay import Replay, clipped
from automl.proposals._rounds import SPARE, PolicyRounds, Rounds
from automl.proposals._scalarising import scalarised
from automl.proposals._starts import is_baseline, is_measured_baseline, is_start, why_outside
from automl.proposals._sure_failures import SureFailures
from automl.proposals._survivors import absolute_ages, published_ages, survivors
from automl.proposals._told import prediction_memo
from automl.proposals._trust import Trust, Watch, cross_validated_trust
from automl.proposals._unseen import Identity, sample_unseen, unseen_mutant, unseen_mutants
from automl.proposals._worth import Outlook, Scale, Worth, scales

__all__ = [
    "Adam",
    "Aims",
    "CLOSED_FORM",
    "ClosedForm",
    "PolicyRounds",
    "Rounds",
    "SPARE",
    "SureFailures",
    "range_mistakes",
    "roofline",
    "Declared",
    "Ending",
    "Foreseen",
    "GainScale",
    "Ground",
    "Guidance",
    "Identity",
    "KnownAndLearned",
    "KnownBounds",
    "KnownCosts",
    "LearnedCosts",
    "LossModel",
    "Mutants",
    "in_turn",
    "lambdarank",
    "random_suggestion",
    "Losses",
    "Outlook",
    "Plan",
    "Planner",
    "Policy",
    "Probes",
    "Promise",
    "Proposal",
    "Replay",
    "Scale",
    "Schedule",
    "SmallSpace",
    "Spread",
    "Trust",
    "Watch",
    "Worth",
    "absolute_ages",
    "clipped",
    "closed_form_costs",
    "cost_model",
    "cost_objectives",
    "count_mistakes",
    "cross_validated_trust",
    "declare",
    "design_mistakes",
    "diverse_first",
    "dominance_ranks",
    "expected_hypervolume_improvement",
    "expected_improvement",
    "fitness",
    "guidance_mistakes",
    "is_baseline",
    "is_measured_baseline",
    "is_start",
    "objective_mistakes",
    "policy_gradient",
    "prediction_memo",
    "propose_pool",
    "published_ages",
    "quality_first",
    "rank_probabilities",
    "ranks_within_bounds",
    "reinforce",
    "sample_unseen",
    "scalarised",
    "scaled_loss",
    "scales",
    "select_parent",
    "share_mistakes",
    "spread_design",
    "survivors",
    "undominated",
    "unseen_mutant",
    "unseen_mutants",
    "violation",
    "why_outside",
]
