"""What the gain over the control will be when all rows are trained on, told by a training that saw fewer."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evaluators._evaluation import Metric
from evaluators._training.labels.learning_curves import extrapolated, slope_corrected
from evaluators._training.labels.progressive import Batches, gain_curve

Vector = NDArray[np.float64]

LEAST_STEPS = 32
"""Steps below which a tail has too few batches for a line."""


def gains_at_full(
    gain: Metric, losses: Vector, control: Vector, batches: Batches, *, full_rows: float
) -> dict[str, Metric]:
    """`ne_gain_slope` and `ne_gain_power`; none where the training was too short to tell.

    The first adds to `gain`, the one on held-out rows, what the slope of the paired curve over log rows promises (the
    linear correction of Meta's large-capacity AutoML); at the full rows it is `gain`. The second is the paired curve
    itself, carried on to the full rows by a power law. `losses` and `control` are [steps].
    """
    if len(losses) < LEAST_STEPS:
        return {}
    curve = gain_curve(losses, control, batches)
    seen = float(batches.rows.sum())
    full = max(full_rows, seen)
    line = slope_corrected(gain, curve.gains, curve.rows, seen=seen, full_rows=full)
    power = extrapolated(curve.gains[None, :], curve.rows, full_rows=full)
    return {"ne_gain_slope": line.label, "ne_gain_power": power.values[0]}
