"""Measures what a candidate is worth: trials, evaluations, objectives and the evaluators themselves."""

from evaluators._errors import DataError, DivergedError, EvaluatorError, ObjectiveError, ProtocolError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric, Point
from evaluators._evaluator import Evaluator, training_seed
from evaluators._objective import KNOWN_METRICS, Goal, Objective
from evaluators._trial import Fidelity, Suggestion, Trial, TrialState

__all__ = [
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
    "Suggestion",
    "Trial",
    "TrialState",
    "training_seed",
]
