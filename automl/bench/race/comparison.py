"""Whether one searcher is better than another over seeds, and by how much.

Letters: n seeds that both have run, d difference of a score under one seed (equal design, equal noise), B resamples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.finals import holm

Values = NDArray[np.float64]

RESAMPLES = 10_000
LEVEL = 0.95


@dataclass(frozen=True)
class Duel:
    """One searcher against another in one score, where smaller is better.

    ratio      mean of the first over mean of the second, with its interval over seeds
    p_value    of Wilcoxon's signed-rank test, two-sided; `p_holm` over all duels in this score
    a12        how likely a run of the first is better than one of the second, a tie counting one half
    """

    searcher: str
    against: str
    score: str
    seeds: int
    mean: float
    other_mean: float
    ratio: float | None
    low: float | None
    high: float | None
    p_value: float
    a12: float
    p_holm: float = 1.0

    def to_dict(self) -> dict[str, Any]:
        """JSON types."""
        return asdict(self)


def duel(names: tuple[str, str], score: str, one: Values, other: Values, *, seed: int = 0) -> Duel:
    """Compares two searchers by their scores `[n]` under the same seeds, in the same order."""
    ratio, low, high = ratio_of_means(one, other, seed=seed)
    return Duel(
        *names,
        score,
        len(one),
        float(one.mean()),
        float(other.mean()),
        ratio,
        low,
        high,
        signed_rank_p(one - other),
        a12(one, other),
    )


def corrected(duels: Sequence[Duel]) -> list[Duel]:
    """With Holm's correction over all duels of each score."""
    found = list(duels)
    for score in dict.fromkeys(one.score for one in found):
        places = [at for at, one in enumerate(found) if one.score == score]
        for at, value in zip(places, holm([found[at].p_value for at in places]), strict=True):
            found[at] = Duel(**{**asdict(found[at]), "p_holm": value})
    return found


def signed_rank_p(differences: Values) -> float:
    """Wilcoxon's signed-rank test, two-sided; 1 where all pairs are ties or there is one alone.

    Source: Wilcoxon 1945, Individual comparisons by ranking methods; zeros by Pratt 1959.
    """
    from scipy.stats import wilcoxon

    if len(differences) < 2 or not differences.any():
        return 1.0
    return float(wilcoxon(differences, zero_method="pratt", method="asymptotic").pvalue)


def a12(one: Values, other: Values) -> float:
    """P(first < second) + P(equal) / 2 over all pairs of runs; 0.5 where neither is better.

    Source: Vargha and Delaney 2000, A critique and improvement of the CL common language effect size statistics.

    >>> a12(np.array([1.0, 2.0]), np.array([2.0, 3.0]))
    0.875
    """
    ordered = np.sort(other)
    above = len(other) - np.searchsorted(ordered, one, side="right")
    below = np.searchsorted(ordered, one, side="left")
    equal = len(other) - above - below
    return float((above + 0.5 * equal).sum() / (len(one) * len(other)))


def ratio_of_means(one: Values, other: Values, *, seed: int) -> tuple[float | None, float | None, float | None]:
    """Ratio with its 95 % interval from resampled seeds, both runs of a seed together; None over a mean of zero."""
    if not other.mean() > 0:
        return None, None, None
    drawn = _resamples(len(one), seed)
    means = one[drawn].mean(axis=1), other[drawn].mean(axis=1)
    sound = means[1] > 0
    low, high = np.quantile(means[0][sound] / means[1][sound], [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(one.mean() / other.mean()), float(low), float(high)


def band(values: Values, *, seed: int = 0, resamples: int = 1000) -> tuple[Values, Values, Values]:
    """Mean over runs `[runs, T]` with its 95 % bootstrap interval, each [T]."""
    drawn = _resamples(len(values), seed, resamples)
    counts = np.stack([np.bincount(one, minlength=len(values)) for one in drawn]) / len(values)
    low, high = np.quantile(counts @ values, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
    return values.mean(axis=0), low, high


def _resamples(count: int, seed: int, resamples: int = RESAMPLES) -> NDArray[np.int64]:
    return np.random.default_rng(seed).integers(0, count, (resamples, count))
