"""What candidates are truly worth, from trainings that no searcher sees, and from what is seen of the rest.

Letters: s mean of a candidate over the replicates that searchers see, m mean of s over candidates, r reliability of s
(the share of its variance that is the candidate's own), o what the seeds of the truth add to every candidate.

A candidate with trainings of its own has their mean. Of the rest only s is known, the very numbers that searchers
choose by, whose luck would count as merit: their truth is o + m + r (s - m), the best guess that is linear in s
(Kelley 1947, Fundamentals of statistics), with o such that it is right on average where the truth is known.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from evaluators import Evaluation, Objective
from evaluators._tabular.entries import TRUTH, Entry

Values = NDArray[np.float64]
LEAST = 3
"""Candidates with a truth of their own below which nothing can be said of the rest."""


def truth_of(
    observed: Values,
    entries: Sequence[Entry],
    numbers: Mapping[str, int],
    objectives: Sequence[Objective],
    *,
    loss: Callable[[Evaluation, Sequence[Objective]], list[float]],
) -> Values:
    """True losses [candidates, objectives] of what is observed [candidates, replicates, objectives].

    Without trainings of the role `truth` what was observed is true. A candidate that failed in one of them is truly as
    bad as the worst. Costs are not noisy: they are as observed.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a candidate that always failed has no mean
        seen = np.nanmean(observed, axis=1)
    found: dict[int, list[float]] = {}
    for one in entries:
        if one.role == TRUTH and one.candidate.fingerprint in numbers:
            value = loss(one.outcome, objectives)[0] if isinstance(one.outcome, Evaluation) else np.nan
            found.setdefault(numbers[one.candidate.fingerprint], []).append(value)
    if len(found) < LEAST:
        return np.asarray(seen, np.float64)
    own = np.full(len(seen), np.nan)
    own[list(found)] = [float(np.mean(values)) for values in found.values()]
    truth = seen.copy()
    truth[:, 0] = np.where(np.isnan(own), _guessed(observed[:, :, 0], seen[:, 0], own), own)
    failed = [at for at, values in found.items() if np.isnan(values).any()]
    truth[failed, 0] = np.nanmax(truth[:, 0])
    return np.asarray(truth, np.float64)


def reliability(observed: Values) -> float:
    """Share of the variance of candidates' means [candidates, replicates] that is their own, from 0 to 1.

    What a seed does to all candidates alike is taken off first: it changes no order. One replicate tells nothing of
    noise, and counts as without.
    """
    whole = observed[np.isfinite(observed).all(axis=1)]
    replicates = observed.shape[1]
    if replicates < 2 or len(whole) < LEAST:
        return 1.0
    centred = whole - whole.mean(axis=0)
    means = centred.mean(axis=1)
    noise = float(((centred - means[:, None]) ** 2).sum() / ((len(whole) - 1) * (replicates - 1)))
    total = float(means.var(ddof=1))
    return float(np.clip(1.0 - noise / replicates / total, 0.0, 1.0)) if total > 0 else 1.0


def _guessed(observed: Values, seen: Values, own: Values) -> Values:
    middle = np.nanmean(seen)
    guess: Values = middle + reliability(observed) * (seen - middle)
    offset = np.nanmean(own - guess)
    return guess + offset
