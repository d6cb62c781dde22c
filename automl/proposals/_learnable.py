"""An objective in the form that every predictor can learn: a known metric that should be small.

Predictors know the direction of known metrics alone, and only the usual one; an objective may be any metric, with a
goal of its own.
"""

from __future__ import annotations

from dataclasses import replace

from evaluators import KNOWN_METRICS, Evaluation, Metric, Objective, Trial

LEARNED_AS = "params"
"""The name under which a loss is learned: of a metric that should be small, and that no predictor treats specially."""


def is_learnable(objective: Objective) -> bool:
    """Whether predictors know the metric, and want of it what the objective wants."""
    return KNOWN_METRICS.get(objective.metric) is objective.goal


def with_loss(trial: Trial, loss: float | None) -> Trial:
    """The trial with this loss for `LEARNED_AS`, and nothing else; None leaves it without a value, as failed ones are.

    Rung, state and replicate stay, so that predictors see them.
    """
    metrics = {} if loss is None else {LEARNED_AS: Metric(loss)}
    return replace(trial, evaluation=Evaluation(metrics))
