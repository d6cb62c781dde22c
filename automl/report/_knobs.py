"""Tells which settings of a system a metric hangs on: the share of its variance that each knob alone explains.

Each choice of each knob has an effect on the metric (on its logarithm, where a knob is a factor), and effects add up.
They are learned from a resample of the trials, each knob with a variance of its own, and judged by the trials that are
not in it: how much of what the other knobs leave of the metric goes with the effect of this one. That of a knob which
does nothing lies about zero. What knobs do together is nobody's share.

Letters: n trials, c choices of all knobs. Sources: MacKay 1992, Bayesian interpolation (the variances); Efron and
Tibshirani 1993, An introduction to the bootstrap (the resamples); Sobol 1993, Sensitivity estimates for nonlinear
mathematical models (the shares).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.control import QUALITY_METRICS
from evaluators import Objective, Trial
from predictors._threads import one_thread

FEWEST = 20
"""Complete trials below which shares are not told."""

MOST = 1_000
"""Trials that are looked at, the last ones: enough for any share, and a second's work."""

RESAMPLES = 100
LEVEL = 0.9
"""Of resamples between the ends of an interval."""

MOST_NUMBERS = 8
"""Numbers of a knob that each have an effect of their own; of more, neighbours share one."""

_STEPS = 5
"""Of learning how large effects are: enough to tell large from small ones, and more take luck for an effect."""

_LEAST_VARIANCE = 1e-8

_CUT = 3.0
"""Robust standard deviations from the median at which values are cut: one run that hung is not what a knob does."""

_UNSET = "(not set)"
"""Of a knob that does not count beside what others have chosen."""

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True)
class Share:
    """Of the variance: the mean over resamples, and the ends of the interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Importances:
    """What a metric hangs on: a share for each knob that was varied, the largest first, and one for all knobs at once.

    `together` is held out, too: what is missing to 1 is what knobs do together, all that is no knob, and noise.
    """

    metric: str
    trials: int
    knobs: Mapping[str, Share]
    together: Share


def knob_importances(trials: Sequence[Trial], objective: Objective, rng: np.random.Generator) -> Importances | None:
    """Of the settings of the systems of complete trials; None with fewer than `FEWEST`, or where nothing varies."""
    pairs = [
        (one, value) for one in trials if (value := one.value(objective.metric)) is not None and one.failure is None
    ]
    pairs = pairs[-MOST:]
    effects = _choices([one for one, _ in pairs])
    if len(pairs) < FEWEST or not effects or len({value for _, value in pairs}) == 1:
        return None
    values = _scaled(np.array([value for _, value in pairs]), objective)
    problem = _Problem.of(effects, (values - values.mean()) / values.std())
    with one_thread():
        drawn = np.array([problem.held_out(*parts) for parts in _resamples(len(values), rng)])
    told = {knob: _share(drawn[:, at]) for at, knob in enumerate(effects)}
    ordered = dict(sorted(told.items(), key=lambda pair: -pair[1].mean))
    return Importances(objective.metric, len(pairs), ordered, _share(drawn[:, -1]))


@dataclass(frozen=True, eq=False)
class _Problem:
    """Choices one-hot `[n, c]` and the knob of each `[c]`; values `[n]`."""

    columns: Matrix
    knobs: Places
    values: Vector

    @classmethod
    def of(cls, effects: Mapping[str, Matrix], values: Vector) -> _Problem:
        widths = [one.shape[1] for one in effects.values()]
        return cls(np.concatenate(list(effects.values()), axis=1), np.repeat(np.arange(len(widths)), widths), values)

    def held_out(self, inside: Places, outside: Places) -> Vector:
        """Variance `[knobs + 1]` of the trials outside that effects learned inside explain, at last all at once."""
        centre, level = self.columns[inside].mean(axis=0), float(self.values[inside].mean())
        weights = _effects(self.columns[inside] - centre, self.values[inside] - level, self.knobs)
        owners = np.eye(int(self.knobs.max()) + 1)[self.knobs]
        each = ((self.columns[outside] - centre) * weights) @ owners
        truth = self.values[outside] - level
        left = truth - each.sum(axis=1)
        return np.append(_explained(left[:, None] + each, each), truth.var() - np.mean(left**2))


def _effects(columns: Matrix, values: Vector, knobs: Places) -> Vector:
    """Expected effects `[c]`, those of each knob normal with a variance that is learned, as is that of the noise."""
    counts, gram, sums = np.bincount(knobs), columns.T @ columns, columns.T @ values
    noise = max(float(values.var()) / 2, _LEAST_VARIANCE)
    variances = np.full(len(counts), 2 * noise / len(counts))
    for _ in range(_STEPS):
        found, spread = _posterior(gram, sums, noise, variances[knobs])
        variances = np.maximum(np.bincount(knobs, found**2 + np.diag(spread)) / counts, _LEAST_VARIANCE)
        left = np.mean((values - columns @ found) ** 2) + np.sum(gram * spread) / len(values)
        noise = max(float(left), _LEAST_VARIANCE)
    return _posterior(gram, sums, noise, variances[knobs])[0]


def _posterior(gram: Matrix, sums: Vector, noise: float, variances: Vector) -> tuple[Vector, Matrix]:
    """Mean `[c]` and covariance `[c, c]` of effects that are normal about zero."""
    spread = np.linalg.inv(gram / noise + np.diag(1 / variances)).astype(np.float64)
    return spread @ sums / noise, spread


def _explained(left: Matrix, effects: Matrix) -> Vector:
    """Variance `[knobs]`, of what is left beside each effect, that goes with it; negative where it goes against it.

    How large an effect was learned to be does not matter: with few trials, all are learned to be small.
    """
    shifts = effects - effects.mean(axis=0)
    together, alone = np.mean((left - left.mean(axis=0)) * shifts, axis=0), np.mean(shifts**2, axis=0)
    shares = np.sign(together) * together**2 / np.maximum(alone, _LEAST_VARIANCE)
    return np.where(alone > _LEAST_VARIANCE, shares, 0.0)


def _resamples(count: int, rng: np.random.Generator) -> Iterator[tuple[Places, Places]]:
    """Trials drawn with replacement, and those that were not."""
    for _ in range(RESAMPLES):
        inside = rng.integers(count, size=count)
        outside = np.setdiff1d(np.arange(count), inside)
        if len(outside) > 1:
            yield inside, outside


def _share(drawn: Vector) -> Share:
    low, high = np.quantile(drawn, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Share(float(drawn.mean()), float(low), float(high))


def _scaled(values: Vector, objective: Objective) -> Vector:
    """Logarithms where all are above zero and no quality; cut at both ends."""
    if objective.metric not in QUALITY_METRICS and (values > 0).all():
        values = np.log(values)
    median = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - median)))
    return np.clip(values, median - _CUT * spread, median + _CUT * spread) if spread else values


def _choices(trials: Sequence[Trial]) -> dict[str, Matrix]:
    """Which choice each trial has made, one-hot `[n, choices]`, by the name of each knob that has been varied."""
    names = sorted({name for trial in trials for name in trial.candidate.system})
    found = {name: _one_hot([trial.candidate.system.get(name, _UNSET) for trial in trials]) for name in names}
    return {name: one for name, one in found.items() if one.shape[1] > 1}


def _one_hot(values: Sequence[object]) -> Matrix:
    groups = list(_groups(values))
    seen = sorted(set(groups))
    return np.array([[float(one == other) for other in seen] for one in groups])


def _groups(values: Sequence[object]) -> Iterator[str]:
    """A text for each value; of many numbers, one for neighbours that are about as many in each group."""
    numbers = np.array([value for value in values if isinstance(value, int | float)], dtype=np.float64)
    if len(set(numbers.tolist())) <= MOST_NUMBERS:
        yield from map(repr, values)
        return
    edges = np.quantile(numbers, np.linspace(0, 1, MOST_NUMBERS + 1)[1:-1])
    for value in values:
        yield str(int(np.searchsorted(edges, value))) if isinstance(value, int | float) else repr(value)
