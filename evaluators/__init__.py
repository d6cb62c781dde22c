"""Measures what a candidate is worth: trials, evaluations, objectives and the evaluators themselves."""

from evaluators._errors import DataError, DivergedError, EvaluatorError, ObjectiveError, ProtocolError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric, Point
from evaluators._evaluator import Evaluator, training_seed
from evaluators._objective import KNOWN_METRICS, Goal, Objective
from evaluators._supernet import (
    SplitSupernet,
    SupernetBesideBaseline,
    TrainedSupernet,
    open_split_supernet,
    open_supernet,
)
from evaluators._training.supernet.plan import StepLosses, SupernetPlan
from evaluators._training.supernet.sampling import Sampler, Sampling
from evaluators._training.supernet.settings import ScoringSettings, SupernetSettings
from evaluators._training.supernet.split_plan import Answers, SplitPlan
from evaluators._trial import Fidelity, Suggestion, Trial, TrialState

__all__ = [
    "Answers",
    "KNOWN_METRICS",
    "DataError",
    "DivergedError",
    "Evaluation",
    "Evaluator",
    "EvaluatorError",
    "Failure",
    "FailureKind",
    "Fidelity",
    "Goal",
    "Metric",
    "Objective",
    "ObjectiveError",
    "Point",
    "ProtocolError",
    "Sampler",
    "Sampling",
    "ScoringSettings",
    "SplitPlan",
    "SplitSupernet",
    "StepLosses",
    "Suggestion",
    "SupernetBesideBaseline",
    "SupernetPlan",
    "SupernetSettings",
    "TrainedSupernet",
    "Trial",
    "TrialState",
    "open_split_supernet",
    "open_supernet",
    "training_seed",
]
