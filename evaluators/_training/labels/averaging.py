"""Averaged weights: the share of the newest ones.

The average of weights over the last steps of a pass takes out what the last batches did to a model, and with it
most of the noise between two trainings. How far it looks back is the loop's to say.
"""

from __future__ import annotations


def newest_share(decay: float, step: int) -> float:
    """Weight of the newest model in the average after update number `step`, which counts from 1.

    average += newest_share * (model - average) gives at each step the exponential average without a trace of the
    value that it began with, as the bias correction of Adam does (Kingma and Ba 2015, Adam).

    >>> newest_share(0.9, 1), round(newest_share(0.9, 1000), 6)
    (1.0, 0.1)
    """
    return (1.0 - decay) / (1.0 - decay**step)
