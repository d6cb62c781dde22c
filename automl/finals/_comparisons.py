"""Paired comparisons of trained models: over seeds, over seeds and days, and many of them at once.

Letters: d difference of NE between two models trained under one seed (their pair), S seeds, T days, w share of the
rows that a day has. Equal seeds mean equal row order and equal initial values (common random numbers), so that much
of a seed's luck is in both models and leaves the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl._errors import AutomlError

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Comparison:
    """A mean difference with its standard error and the degrees of freedom of Student's t (Student 1908).

    Smaller is better, so a negative effect speaks for the first of the two models.
    """

    effect: float
    stderr: float
    freedom: float

    @property
    def p_value(self) -> float:
        """Two-sided: how likely so large a difference is between equal models."""
        if self.stderr == 0.0:
            return float(self.effect == 0.0)
        return 2.0 * self._below(-abs(self.effect) / self.stderr)

    @property
    def p_better(self) -> float:
        """One-sided: how likely so good a result is of a model that is no better than the other."""
        if self.stderr == 0.0:
            return float(self.effect >= 0.0)
        return self._below(self.effect / self.stderr)

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """The two-sided confidence interval of the difference."""
        from scipy.special import stdtrit

        half = float(stdtrit(self.freedom, 0.5 + level / 2.0)) * self.stderr
        return self.effect - half, self.effect + half

    def equivalence_p(self, margin: float) -> float:
        """How likely the data are where the models differ by `margin` or more: two one-sided tests.

        Source: Schuirmann 1987, A comparison of the two one-sided tests procedure and the power approach for
        assessing the equivalence of average bioavailability.
        """
        room = margin - abs(self.effect)
        if self.stderr == 0.0:
            return float(room <= 0.0)
        return self._below(-room / self.stderr)

    def _below(self, t: float) -> float:
        from scipy.special import stdtr

        return float(stdtr(self.freedom, t))


def paired(differences: Vector) -> Comparison:
    """The paired t-test: `differences` `[S]` by seed, at least two.

    Raises:
        AutomlError: there are fewer than two seeds, so that nothing tells their noise.
    """
    seeds = len(differences)
    if seeds < 2:
        raise AutomlError(f"a comparison needs at least 2 seeds to know their noise, but has {seeds}; train more")
    return Comparison(float(differences.mean()), _spread(differences) / np.sqrt(seeds), seeds - 1)


def crossed(differences: NDArray[np.float64], weights: Vector) -> Comparison:
    """The paired test over seeds and days at once: `differences` `[S, T]`, `weights` `[T]` that add up to one.

    The result holds for other seeds and other days. With d = effect + seed + day + rest, the variance of the mean is
    var(seed)/S + var(day)/T + var(rest)/(S T). Variance over seeds and variance over days each hold the last term, so
    their sum is never too small (Cameron, Gelbach and Miller 2011, Robust inference with multiway clustering, take it
    off once; with a handful of clusters that can leave less than nothing). The degrees of freedom are Satterthwaite's
    (1946). One day alone gives the test over seeds.

    Raises:
        AutomlError: there are fewer than two seeds.
    """
    over_seeds = paired(differences @ weights)
    days = len(weights)
    if days < 2:
        return over_seeds
    deviations = weights * (differences.mean(axis=0) - over_seeds.effect)
    of_days = float((deviations**2).sum()) * days / (days - 1)
    of_seeds = over_seeds.stderr**2
    total = of_seeds + of_days
    if total == 0.0:
        return over_seeds
    freedom = total**2 / (of_seeds**2 / over_seeds.freedom + of_days**2 / (days - 1))
    return Comparison(over_seeds.effect, float(np.sqrt(total)), freedom)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjusted p values, in the order given: rejecting those of at most alpha errs anywhere with at most alpha.

    Source: Holm 1979, A simple sequentially rejective multiple test procedure.

    >>> [round(one, 3) for one in holm([0.01, 0.04, 0.03, 0.005])]
    [0.03, 0.06, 0.06, 0.02]
    """
    values = np.asarray(p_values, dtype=float)
    order = np.argsort(values, kind="stable")
    factors = np.arange(len(values), 0, -1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * values[order]), 1.0)
    return [float(one) for one in adjusted]


def _spread(values: Vector) -> float:
    return float(values.std(ddof=1))
