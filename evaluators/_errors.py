"""Errors of measuring: what data, an objective or an evaluator breaks.

EvaluatorError
├── DataError        a source, a prepared folder or a split breaks a rule
├── ObjectiveError   a metric is unknown or a bound makes no sense
├── DivergedError    training lost its footing: a loss that is not finite, or far worse than guessing
└── ProtocolError    the training process spoke out of turn
"""


class EvaluatorError(ValueError):
    """Base of every error that `evaluators` raises."""


class DataError(EvaluatorError):
    """Data cannot be read, prepared or split as asked."""


class ObjectiveError(EvaluatorError):
    """An objective names no known metric, or its goal or bound makes no sense."""


class DivergedError(EvaluatorError):
    """Training ended in a loss that is not finite, or far worse than guessing."""


class ProtocolError(EvaluatorError):
    """A training process answered with something that is no evaluation."""
