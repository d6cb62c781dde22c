"""How well a rung's order agrees with that of full training, and how well it could agree at best.

Letters: n candidates, r replicates, B resamples; a and b the true qualities of a candidate at the rung and in full
training, e and f the noise of the labels x = a + e and y = b + f, R = var(a) / var(x) the reliability of a label.

Noise alone keeps two orders from agreeing. Where rung and full training use different replicates, e and f are
independent, so corr(x, y) = corr(a, b) sqrt(R_x R_y) (Spearman 1904, The Proof and Measurement of Association between
Two Things), and a rung with the true order, corr(a, b) = 1, reaches sqrt(R_x R_y). For Gaussian labels Kendall's
tau = 2 / pi arcsin(corr) (Kruskal 1958, Ordinal Measures of Association), so

    ceiling of tau = 2 / pi arcsin sqrt(R_x R_y).

The reliability of a mean over replicates is 1 - var(noise of the mean) / var(mean) (Hoyt 1941, Test Reliability
Estimated by Analysis of Variance). Common random numbers shift all candidates of a replicate alike; that shift changes
no order and is taken out first. Replicates are turned into normal scores before their variances are compared, as tau
and its ceiling belong to orders: one candidate that nearly diverged must not make every other one look reliable.
What all replicates share, the rows that they are evaluated on, is no noise here: the order meant is that on those rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from automl._errors import AutomlError
from predictors import rank_correlation

Vector = NDArray[np.float64]
FEWEST = 6
"""Candidates below which neither an order nor its noise can be told: five fall into one order by chance too often."""


class Labels:
    """Losses of candidates `[n, r]`, with their standard errors where one replicate alone has to tell its noise.

    `between` is the variance between replicates where it is known from elsewhere; it is added to that of the errors.

    Raises:
        AutomlError: the shapes differ, a loss is not finite, or a single replicate comes without standard errors.
    """

    def __init__(self, losses: ArrayLike, stderr: ArrayLike | None = None, *, between: float = 0.0) -> None:
        self.losses: Vector = np.asarray(losses, dtype=float)
        errors = None if stderr is None else np.asarray(stderr, dtype=float)
        if self.losses.ndim != 2 or not np.isfinite(self.losses).all():
            raise AutomlError(f"labels must be finite losses [candidates, replicates], not {_described(self.losses)}")
        if errors is not None and errors.shape != self.losses.shape:
            raise AutomlError(f"each loss {self.losses.shape} needs a standard error, but they are {errors.shape}")
        if self.losses.shape[1] < 2 and errors is None:
            raise AutomlError("noise shows between two replicates, but there is one; add one, or standard errors")
        self.means: Vector = (self.losses - np.median(self.losses, axis=0)).mean(axis=1)
        if errors is not None and self.losses.shape[1] < 2:
            self._scores, self._noise = self.losses[:, 0], errors[:, 0] ** 2 + between
        else:
            self._scores, self._noise = _from_replicates(self.losses)

        self._errors, self._between = errors, between

    def __len__(self) -> int:
        return len(self.losses)

    def first(self, count: int) -> Labels:
        """Those of the first candidates alone."""
        errors = None if self._errors is None else self._errors[:count]
        return Labels(self.losses[:count], errors, between=self._between)

    def reliability(self, weights: NDArray[np.int64] | None = None) -> Vector:
        """Of the mean over the replicates, within 0 and 1, once for each row of `weights` `[B, n]`.

        Weights count how often a resample has drawn each candidate; without them there is one row of ones.
        """
        count = len(self)
        drawn = np.ones((1, count)) if weights is None else weights
        centre = drawn @ self._scores / count
        spread = drawn @ self._scores**2 / count - centre**2
        degrees = count - 1 if weights is None else (count - 1) ** 2 / count  # a resample's spread is smaller still
        noise = drawn @ self._noise / count
        with np.errstate(divide="ignore", invalid="ignore"):
            found = 1.0 - noise / (spread * count / degrees)
        return np.where(spread > 0, np.clip(found, 0.0, 1.0), 0.0)

    def noise(self) -> float:
        """Standard deviation of one evaluation about its candidate's mean, in the unit of the losses."""
        count, replicates = self.losses.shape
        if replicates < 2:
            return float(np.sqrt(self._noise.mean()))
        residual = self.losses - self.losses.mean(axis=1, keepdims=True)
        residual -= residual.mean(axis=0)
        return float(np.sqrt((residual**2).sum() / ((count - 1) * (replicates - 1))))


@dataclass(frozen=True)
class Agreement:
    """Kendall's tau between the mean labels of a rung and of full training, its interval and its ceiling.

    The reliabilities are those of one evaluation; `candidates` is how many were compared.
    """

    candidates: int
    tau: float
    low: float
    high: float
    ceiling: float
    rung_reliability: float
    full_reliability: float

    @property
    def share(self) -> float | None:
        """Tau in units of its ceiling; None where noise leaves no order to agree with."""
        return self.tau / self.ceiling if self.ceiling > 0 else None


@dataclass(frozen=True, eq=False)
class Resamples:
    """Tau and its ceiling in each resample of the candidates, both `[B]`."""

    tau: Vector
    ceiling: Vector

    def over(self, share: float) -> Vector:
        """How far tau lies over that share of the ceiling, `[B]`; well defined where the ceiling is zero, too."""
        return self.tau - share * self.ceiling


def agreement(rung: Labels, full: Labels, drawn: Resamples, *, confidence: float) -> Agreement:
    """The estimates from all candidates, with the bootstrap's percentile interval of tau.

    Raises:
        AutomlError: rung and full training have different candidates.
    """
    _check(rung, full)
    low, high = np.quantile(drawn.tau, [(1 - confidence) / 2, (1 + confidence) / 2])
    reliabilities = float(rung.reliability()[0]), float(full.reliability()[0])
    return Agreement(
        candidates=len(rung),
        tau=rank_correlation(rung.means, full.means),
        low=float(low),
        high=float(high),
        ceiling=float(ceiling_of_tau(*reliabilities)),
        rung_reliability=_of_one(reliabilities[0], rung.losses.shape[1]),
        full_reliability=_of_one(reliabilities[1], full.losses.shape[1]),
    )


def resamples(rung: Labels, full: Labels, *, count: int, rng: np.random.Generator) -> Resamples:
    """Tau and ceiling of `count` resamples of the candidates (Efron 1979, Bootstrap Methods)."""
    _check(rung, full)
    size = len(rung)
    weights = rng.multinomial(size, np.full(size, 1 / size), size=count)
    tau = weighted_tau(rung.means, full.means, weights)
    return Resamples(tau, ceiling_of_tau(rung.reliability(weights), full.reliability(weights)))


def weighted_tau(one: ArrayLike, other: ArrayLike, weights: ArrayLike) -> Vector:
    """Kendall's tau-b of two sequences `[n]` whose members count by `weights` `[B, n]`, and pairs by their product.

    >>> weighted_tau([1, 2, 3], [1, 3, 2], [[1, 1, 1], [1, 1, 0]]).round(6).tolist()
    [0.333333, 1.0]
    """
    counts = np.asarray(weights, dtype=float)
    first, second = (np.sign(np.subtract.outer(values, values)) for values in (np.asarray(one), np.asarray(other)))
    agreeing, *pairs = (_weighed(counts, table) for table in (first * second, first**2, second**2))
    scale = np.sqrt(pairs[0] * pairs[1])
    return np.divide(agreeing, scale, out=np.zeros(len(counts)), where=scale > 0)


def ceiling_of_tau(rung: ArrayLike, full: ArrayLike) -> Vector:
    """What tau reaches where the true orders are equal, from the reliabilities of what is compared.

    >>> ceiling_of_tau([1.0, 0.5], [1.0, 0.5]).round(6).tolist()
    [1.0, 0.333333]
    """
    found: Vector = 2 / np.pi * np.arcsin(np.sqrt(np.asarray(rung, dtype=float) * np.asarray(full, dtype=float)))
    return found


def normal_scores(values: ArrayLike) -> Vector:
    """Normal quantiles of the ranks, in the shape of the values (Blom 1958); ties share the mean of their ranks."""
    flat = np.asarray(values, dtype=float)
    _, group, sizes = np.unique(flat, return_inverse=True, return_counts=True)
    ranks = np.cumsum(sizes) - (sizes - 1) / 2
    normal = NormalDist()
    scores = np.array([normal.inv_cdf((rank - 0.375) / (flat.size + 0.25)) for rank in ranks])
    return scores[group].reshape(flat.shape)


def _from_replicates(losses: Vector) -> tuple[Vector, Vector]:
    """Mean normal score of each candidate, and the noise variance of that mean by what its replicates differ."""
    count, replicates = losses.shape
    scores = normal_scores(losses - np.median(losses, axis=0))
    means = scores.mean(axis=1)
    residual = scores - means[:, None] - scores.mean(axis=0) + scores.mean()
    within = (residual**2).sum(axis=1) / (replicates - 1) * count / max(count - 1, 1)
    return means, within / replicates


def _of_one(reliability: float, replicates: int) -> float:
    """Of one evaluation, from that of a mean (Spearman 1910 and Brown 1910, turned round)."""
    return reliability / (replicates - (replicates - 1) * reliability)


def _weighed(weights: Vector, table: Vector) -> Vector:
    sums: Vector = ((weights @ table) * weights).sum(axis=1)
    return sums


def _check(rung: Labels, full: Labels) -> None:
    if len(rung) != len(full) or len(rung) < FEWEST:
        raise AutomlError(
            f"an agreement needs the same candidates twice, at least {FEWEST}, but has {len(rung)} and {len(full)}"
        )


def _described(losses: Vector) -> str:
    return f"shape {losses.shape}" if losses.ndim != 2 else "some that are not"
