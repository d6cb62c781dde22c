"""How well the order of a method's supernet agrees with that of training from scratch, in one seed of a comparison.

Letters: n candidates, x the loss of each from its training in the search, y that of a second replicate of some; both
as normal scores among the n, s and t.

Compared are the method's own read-out and candidates drawn at random: those that studies of the seed have trained
anyway, else a sample that is trained for it. Scores come from the weights that the run has left.

The ceiling is what noise alone allows (see `fidelity.Labels`). What is compared are trainings as the search has them,
so their noise is that between two of those: var(s - t) / 2, once the shift is out that a replicate gives to all alike.
Normal scores, since tau belongs to orders: among raw losses one candidate that nearly diverged would make all others
look reliable. The supernet is one and its scores repeat exactly: the order meant is its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.fidelity import Labels, agreement, normal_scores, resamples

FEWEST = 6
FEWEST_TWICE = 4
"""Candidates that must have been trained twice to tell a noise."""

RESAMPLES = 1000
LEVEL = 0.9

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Judged:
    """A candidate with its loss from scratch, `again` that of a second replicate, and what the supernet thinks of it.

    `is_read_out` says whether the method itself has chosen it; otherwise it was drawn at random.
    """

    fingerprint: str
    is_read_out: bool
    loss: float
    opinion: float | None
    again: float | None = None


def agreement_of(judged: Sequence[Judged], *, seed: int) -> dict[str, Any]:
    """Kendall's tau with its interval and ceiling, JSON types; without enough candidates only why there is none."""
    known = [one for one in judged if one.opinion is not None]
    counts = {"read_out": sum(one.is_read_out for one in known), "random": sum(not one.is_read_out for one in known)}
    if len(known) < FEWEST:
        reason = f"an order needs at least {FEWEST} candidates that both know, and there are {len(known)}"
        return {**counts, "candidates": len(known), "reason": reason}
    opinions = np.array([one.opinion for one in known], np.float64)
    losses = np.array([one.loss for one in known], np.float64)
    noise = noise_of_scores(losses, np.array([np.nan if one.again is None else one.again for one in known]))
    supernet = Labels(opinions[:, None], np.zeros((len(known), 1)))
    between = 0.0 if noise is None else noise**2
    scratch = Labels(normal_scores(losses)[:, None], np.zeros((len(known), 1)), between=between)
    drawn = resamples(supernet, scratch, count=RESAMPLES, rng=np.random.default_rng(seed))
    found = agreement(supernet, scratch, drawn, confidence=LEVEL)
    twice = {"twice": sum(one.again is not None for one in known), "noise": noise, "level": LEVEL}
    if noise is None:
        return {**counts, **asdict(found), **twice, "ceiling": None, "full_reliability": None, "share": None}
    return {**counts, **asdict(found), **twice, "share": found.share}


def noise_of_scores(losses: Vector, again: Vector) -> float | None:
    """Standard deviation of one training among normal scores; NaN where there was no second one, None if too few.

    A second loss stands where its shifted value would among the first ones.
    """
    known = np.isfinite(again)
    if known.sum() < FEWEST_TWICE:
        return None
    shifted = again[known] - np.median(again[known] - losses[known])
    scores, order = normal_scores(losses), np.argsort(losses, kind="stable")
    differences = scores[known] - np.interp(shifted, losses[order], scores[order])
    return float(np.sqrt(differences.var(ddof=1) / 2.0))


def spread(judged: Sequence[Judged], count: int) -> list[Judged]:
    """Up to `count` of those that both know, evenly over the order from scratch, its ends among them."""
    known = sorted((one for one in judged if one.opinion is not None), key=lambda one: one.loss)
    if len(known) <= count:
        return known
    places = np.unique(np.linspace(0, len(known) - 1, count).round().astype(int))
    return [known[at] for at in places]
