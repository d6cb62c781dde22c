"""Measures what a candidate is worth: trials, evaluations, objectives and the evaluators themselves."""

from evaluators._errors import DataError, DivergedError, EvaluatorError, ObjectiveError, ProtocolError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric, Point
from evaluators._evaluator import Evaluator, training_seed
from evaluators._objective import KNOWN_METRICS, Goal, Objective
from evaluators._split_supernet import Answers, SplitPlan, SplitSupernet, open_split_supernet
from evaluators._training.supernet.settings import ScoringSettings, SupernetSettings
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
    "ScoringSettings",
    "SplitPlan",
    "SplitSupernet",
    "Suggestion",
    "SupernetSettings",
    "Trial",
    "TrialState",
    "open_split_supernet",
    "training_seed",
]
