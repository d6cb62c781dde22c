"""The order of training rows: trees choose their number on the last ones, and count clicks in it."""

from __future__ import annotations

import numpy as np

from evaluators._datasets import Part


def ordered(rows: Part, *, seed: int) -> Part:
    """Rows in order of time as they are, others in an order drawn with the seed."""
    if rows.time is not None:
        return rows
    order = np.random.default_rng(seed).permutation(len(rows))
    return Part(rows.label[order], rows.numeric[order], rows.categorical[order])
