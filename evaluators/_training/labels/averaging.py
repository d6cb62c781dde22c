"""How long the memory of averaged weights is: a share of the training, not a number of steps.

The average of weights over the last steps of a pass takes out what the last batches did to a model, and with it
most of the noise between two trainings. A fixed decay would do that for one length of training alone.
"""

from __future__ import annotations

from evaluators._errors import EvaluatorError

HORIZON = 0.125
"""Share of the planned steps, the last ones, that the average remembers: 1 / (1 - decay) steps."""

LEAST, MOST = 0.9, 0.9995
"""Decays of the shortest memory, ten steps, and of the longest, two thousand."""


def decay(steps_total: int, horizon: float = HORIZON) -> float:
    """Decay of the average for a training of so many steps.

    >>> decay(800), decay(10), decay(10**6)
    (0.99, 0.9, 0.9995)

    Raises:
        EvaluatorError: there are no steps.
    """
    if steps_total < 1:
        raise EvaluatorError(f"averaged weights need at least one step, but {steps_total} are planned; train on rows")
    return min(max(1.0 - 1.0 / max(1.0, horizon * steps_total), LEAST), MOST)


def newest_share(decay: float, step: int) -> float:
    """Weight of the newest model in the average after update number `step`, which counts from 1.

    average += newest_share * (model - average) gives at each step the exponential average without a trace of the
    value that it began with, as the bias correction of Adam does (Kingma and Ba 2015, Adam).

    >>> newest_share(0.9, 1), round(newest_share(0.9, 1000), 6)
    (1.0, 0.1)
    """
    return (1.0 - decay) / (1.0 - decay**step)
