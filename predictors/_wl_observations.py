"""What finished trials say, in the form in which a Gaussian process takes it.

Losses are taken by the logarithm of their distance from the best, since trainings of good candidates differ less from
each other than those of bad ones, and a diverged one says little more than that it is bad; all are standardised rung by
rung; replicates of one candidate are averaged. Failed trials are left out and counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Trial, TrialState
from searchspaces import Candidate

Vector = NDArray[np.float64]
Rungs = NDArray[np.int64]

GOOD_END = 0.1
"""Quantile whose distance from the median is the unit of distances from the best. On BARS, clipping by Tukey's whiskers
instead costs 0.01 to 0.03 of Kendall's tau at 100 trials; ranks do as well, but lose the unit."""
NEAR = 0.5
"""In that unit: what is nearer to the best than this differs from it by little more than luck."""
MOST_EXCESS = 3.0
"""Above the median after the logarithm, in that unit: so far stands what diverged."""
ENOUGH = 8
"""Observations of a rung from which its own spread is taken; with fewer, that of the rung with most."""
UNKNOWN_NOISE, LEAST_NOISE, MOST_NOISE = 0.1, 1e-3, 1.0
"""Variance of one training's noise in that of all losses, where evaluators tell none, and its bounds."""
MOST_RELATIVE = 10.0


@dataclass(frozen=True)
class Distance:
    """moved = unit * log(NEAR + (loss - best) / unit), not above `most`."""

    best: float
    unit: float
    most: float

    @classmethod
    def of(cls, losses: Vector) -> Distance:
        """By at least one loss; those that do not differ are at no distance from each other."""
        good, median = np.quantile(losses, [GOOD_END, 0.5])
        best, unit = float(losses.min()), float(median - good) or float(losses.std()) or 1.0
        return cls(best, unit, unit * (np.log(NEAR + (float(median) - best) / unit) + MOST_EXCESS))

    def moved(self, losses: Vector) -> Vector:
        """A loss below the best, which only another rung can have, is as near as the best."""
        found: Vector = self.unit * np.log(NEAR + np.maximum(losses - self.best, 0.0) / self.unit)
        return np.minimum(found, self.most)

    def losses(self, moved: Vector) -> tuple[Vector, Vector]:
        """The inverse, and its slope."""
        distance = np.exp(np.minimum(moved, self.most) / self.unit)
        return self.best + self.unit * (distance - NEAR), distance


@dataclass(frozen=True)
class Scale:
    """moved = centre + spread * target, of losses that are moved by their `distance` or, without, stay as they are.

    `worst` is the largest target.
    """

    centre: float
    spread: float
    worst: float
    distance: Distance | None = None

    def targets(self, losses: Vector) -> Vector:
        """Of zero mean and unit spread over the losses that the scale is of."""
        return ((self.distance.moved(losses) if self.distance else losses) - self.centre) / self.spread

    def losses(self, means: Vector, stds: Vector) -> tuple[Vector, Vector]:
        """Losses of expected targets, and their deviations to first order."""
        moved = self.centre + self.spread * means
        if self.distance is None:
            return moved, self.spread * stds
        found, slope = self.distance.losses(moved)
        return found, self.spread * stds * slope


@dataclass(frozen=True, eq=False)
class Observations:
    """Measured candidates, one for each fingerprint and rung, and what is known beside them.

    rungs      places in `ladder`, whose last one is full training, [n]
    targets    standardised losses, [n]
    noise      variance of each in that of a typical single training, [n]
    typical    that of a typical single training, as evaluators tell it, in squared targets
    scales     of each place of the ladder
    failed     candidates of which no trial has a value
    """

    candidates: tuple[Candidate, ...]
    ladder: tuple[int, ...]
    rungs: Rungs
    targets: Vector
    noise: Vector
    typical: float
    scales: tuple[Scale, ...]
    failed: tuple[Candidate, ...]

    def place(self, rung: int) -> int:
        """Of a rung in the ladder; the nearest one where the rung was never seen."""
        return min(range(len(self.ladder)), key=lambda at: abs(self.ladder[at] - rung))

    def losses(self, means: Vector, stds: Vector, places: Rungs) -> tuple[Vector, Vector]:
        """Losses and their deviations [m], from targets that belong to `places` of the ladder [m]."""
        found, spread = np.empty_like(means), np.empty_like(stds)
        for place in np.unique(places):
            own = places == place
            found[own], spread[own] = self.scales[place].losses(means[own], stds[own])
        return found, spread


@dataclass(frozen=True)
class _Measured:
    candidate: Candidate
    losses: tuple[float, ...]
    errors: tuple[float, ...]  # variances that are known


def observe(trials: Sequence[Trial], objective: Objective, *, compress: bool) -> Observations:
    """Reads what finished trials measured of the objective's metric.

    A trial that was stopped early for lagging behind counts at its value, but no better than the median of the
    complete ones of its rung. With `compress`, losses are moved by their distance from the best of their rung.
    """
    ladder = tuple(sorted({trial.suggestion.fidelity.rung for trial in trials} | {0}))
    groups = [_measured(trials, rung, objective) for rung in ladder]
    means = [np.array([np.mean(one.losses) for one in group]) for group in groups]
    scales = _scales(means, compress=compress)
    everything = [one for group in groups for one in group]
    typical = _typical_error(everything)
    targets = [scale.targets(losses) for losses, scale in zip(means, scales, strict=True)]
    known = {one.candidate.fingerprint for one in everything}
    failed = {one.candidate.fingerprint: one.candidate for one in trials if _value(one, objective) is None}
    spread = max(float(scale.losses(np.zeros(1), np.ones(1))[1][0]) for scale in scales)
    return Observations(
        tuple(one.candidate for one in everything),
        ladder,
        np.repeat(np.arange(len(ladder)), [len(group) for group in groups]),
        np.concatenate(targets),
        np.array([_relative_noise(one, typical) for one in everything]),
        UNKNOWN_NOISE if typical is None else float(np.clip(typical / spread**2, LEAST_NOISE, MOST_NOISE)),
        scales,
        tuple(candidate for fingerprint, candidate in failed.items() if fingerprint not in known),
    )


def _value(trial: Trial, objective: Objective) -> float | None:
    value = trial.value(objective.metric)
    return None if value is None or trial.state is TrialState.FAIL else value


def _measured(trials: Sequence[Trial], rung: int, objective: Objective) -> list[_Measured]:
    members = [one for one in trials if one.suggestion.fidelity.rung == rung]
    complete = [one for one in members if one.state is TrialState.COMPLETE]
    values = [objective.loss(value) for one in complete if (value := _value(one, objective)) is not None]
    floor = float(np.median(values)) if values else -np.inf
    groups: dict[str, list[Trial]] = {}
    for trial in members:
        if _value(trial, objective) is not None:
            groups.setdefault(trial.candidate.fingerprint, []).append(trial)
    return [
        _Measured(
            group[0].candidate,
            tuple(_loss(trial, objective, floor) for trial in group),
            tuple(error**2 for trial in group if (error := _error(trial, objective)) is not None),
        )
        for group in groups.values()
    ]


def _loss(trial: Trial, objective: Objective, floor: float) -> float:
    loss = objective.loss(_value(trial, objective) or 0.0)
    return loss if trial.state is TrialState.COMPLETE else max(loss, floor)


def _error(trial: Trial, objective: Objective) -> float | None:
    return trial.evaluation.metrics[objective.metric].stderr if trial.evaluation else None


def _scales(losses: Sequence[Vector], *, compress: bool) -> tuple[Scale, ...]:
    """Each rung's own, or what is missing from the rung with most observations."""
    largest = max(losses, key=len)
    common = _distance(largest, None) if compress and len(largest) else None
    usual = _scale(largest, common, spread=0.0)
    found = []
    for own in losses:
        distance = _distance(own, common) if common and len(own) else common
        found.append(_scale(own, distance, spread=usual.spread) if len(own) else replace(usual, worst=0.0))
    return tuple(found)


def _distance(losses: Vector, usual: Distance | None) -> Distance:
    return Distance.of(losses) if usual is None or len(losses) >= ENOUGH else replace(usual, best=float(losses.min()))


def _scale(losses: Vector, distance: Distance | None, *, spread: float) -> Scale:
    """With few losses `spread` stands for their own, where there is one."""
    if not len(losses):
        return Scale(0.0, 1.0, 0.0, distance)
    moved = distance.moved(losses) if distance else losses
    spread = float(moved.std()) if len(moved) >= ENOUGH or not spread else spread
    centre = float(moved.mean())
    spread = spread or 1.0
    return Scale(centre, spread, float((moved.max() - centre) / spread), distance)


def _typical_error(measured: Sequence[_Measured]) -> float | None:
    """Median variance of a single training, where evaluators tell one."""
    errors = [error for one in measured for error in one.errors]
    return float(np.median(errors)) if errors else None


def _relative_noise(one: _Measured, typical: float | None) -> float:
    """Variance of the mean of replicates, in that of a typical single training."""
    if not typical or not one.errors:
        return 1.0 / len(one.losses)
    relative = float(np.mean(one.errors)) / typical
    return float(np.clip(relative, 1.0 / MOST_RELATIVE, MOST_RELATIVE)) / len(one.losses)
