"""What finished trials say, in the form in which a Gaussian process takes it.

Losses above the median are compressed, since a diverged training says little more than that it is bad, and all are
standardised rung by rung; replicates of one candidate are averaged. Failed trials are left out and counted apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Trial, TrialState
from searchspaces import Candidate

Vector = NDArray[np.float64]

GOOD_END = 0.1
"""Quantile whose distance from the median is the unit in which the bad half is compressed. On BARS, clipping by
Tukey's whiskers instead costs 0.01 to 0.03 of Kendall's tau at 100 trials; ranks do as well, but lose the unit."""
MOST_EXCESS = 3.0
"""After compression, in that unit: so far stands what diverged."""
ENOUGH = 8
"""Observations of a rung from which its own spread is taken; with fewer, that of the rung with most."""
UNKNOWN_NOISE, LEAST_NOISE, MOST_NOISE = 0.1, 1e-3, 1.0
"""Variance of one training's noise in that of all losses, where evaluators tell none, and its bounds."""
MOST_RELATIVE = 10.0


@dataclass(frozen=True)
class Scale:
    """loss = centre + spread * target; `worst` is the largest target."""

    centre: float
    spread: float
    worst: float


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
    rungs: NDArray[np.int64]
    targets: Vector
    noise: Vector
    typical: float
    scales: tuple[Scale, ...]
    failed: tuple[Candidate, ...]

    def place(self, rung: int) -> int:
        """Of a rung in the ladder; the nearest one where the rung was never seen."""
        return min(range(len(self.ladder)), key=lambda at: abs(self.ladder[at] - rung))


@dataclass(frozen=True)
class _Measured:
    candidate: Candidate
    losses: tuple[float, ...]
    errors: tuple[float, ...]  # variances that are known


def observe(trials: Sequence[Trial], objective: Objective, *, compress: bool) -> Observations:
    """Reads what finished trials measured of the objective's metric.

    A trial that was stopped early for lagging behind counts at its value, but no better than the median of the
    complete ones of its rung. With `compress`, losses above a rung's median are compressed.
    """
    ladder = tuple(sorted({trial.suggestion.fidelity.rung for trial in trials} | {0}))
    groups = [_measured(trials, rung, objective) for rung in ladder]
    means = [np.array([np.mean(one.losses) for one in group]) for group in groups]
    compressed = [_compressed(losses) if compress else losses for losses in means]
    scales = _scales(compressed)
    everything = [one for group in groups for one in group]
    typical = _typical_error(everything)
    targets = [(losses - scale.centre) / scale.spread for losses, scale in zip(compressed, scales, strict=True)]
    known = {one.candidate.fingerprint for one in everything}
    failed = {one.candidate.fingerprint: one.candidate for one in trials if _value(one, objective) is None}
    spread = max((scale.spread for scale in scales), default=1.0)
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


def _compressed(losses: Vector) -> Vector:
    """The better half as it is; in the other one the excess over the median grows as a logarithm, up to a bound."""
    if not len(losses):
        return losses
    good, median = np.quantile(losses, [GOOD_END, 0.5])
    unit = max(float(median - good), np.finfo(np.float64).tiny)
    excess = np.maximum(losses - median, 0.0)
    return np.where(losses > median, median + unit * np.minimum(np.log1p(excess / unit), MOST_EXCESS), losses)


def _scales(losses: Sequence[Vector]) -> tuple[Scale, ...]:
    """Each rung's own, or what is missing from the rung with most observations."""
    largest = max(losses, key=len)
    common = float(largest.std()) if len(largest) > 1 else 0.0
    found = []
    for own in losses:
        spread = (float(own.std()) if len(own) >= ENOUGH else common) or 1.0
        centre = float((own if len(own) else largest).mean()) if len(largest) else 0.0
        found.append(Scale(centre, spread, float((own.max(initial=centre) - centre) / spread)))
    return tuple(found)


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
