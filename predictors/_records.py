"""What predictors learn from: places for those that learn an order, losses for those that keep units.

Losses of different rungs are never compared: a rung is tied to the one below by the candidates that both have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Trial, TrialState
from predictors._ranks import loss_ranks
from searchspaces import Candidate

FEWEST_RECORDS = 4
"""Below it a predictor stays constant."""

FEWEST_SHARED = 4
"""Candidates through which a line carries losses from rung to rung."""


@dataclass(frozen=True)
class Places:
    """Different candidates, with where each stands among them: `[n]`, from 0 (best) to 1 (worst)."""

    candidates: tuple[Candidate, ...]
    place: NDArray[np.float64]

    @property
    def teach(self) -> bool:
        """Whether there is an order to learn from at all."""
        return len(self.place) >= FEWEST_RECORDS and bool(np.ptp(self.place) > 0)


@dataclass(frozen=True)
class Losses:
    """Measurements, smaller is better, one a trial: a candidate with replicates occurs as often as it was measured.

    `loss [n]` is in the metric's unit; `variance [n]` is the squared standard error of the evaluator, nan without one.
    """

    candidates: tuple[Candidate, ...]
    loss: NDArray[np.float64]
    variance: NDArray[np.float64]

    @property
    def teach(self) -> bool:
        """Whether there are differences to learn from at all."""
        return len(self.loss) >= FEWEST_RECORDS and bool(np.ptp(self.loss) > 0)


def places(trials: Sequence[Trial], objective: Objective) -> Places:
    """Each candidate's place at the highest rung that it reached.

    A rung puts the candidates that it shares with lower ones in another order, and they take each other's places:
    what was promoted stays among the best, whatever its losses are there. Without shared candidates places are those
    within the rung. Trials of one candidate count once, at their mean rank; candidates that only failed are last.
    """
    found: dict[str, float] = {}
    candidates: dict[str, Candidate] = {}
    for members in _by_rung(trials):
        quantiles = _quantiles(members, objective)
        shared = [name for name in quantiles if name in found]
        if len(shared) > 1:
            here, below = sorted(quantiles[name] for name in shared), sorted(found[name] for name in shared)
            quantiles = {name: float(np.interp(at, here, below)) for name, at in quantiles.items()}
        failed = _failed(members, objective)
        found |= {name: 1.0 if name in failed else at for name, at in quantiles.items()}
        candidates |= {trial.candidate.fingerprint: trial.candidate for trial in members}
    return Places(tuple(candidates.values()), np.array([found[name] for name in candidates]))


def losses(trials: Sequence[Trial], objective: Objective) -> Losses:
    """The losses of the highest rung with four trials that have one, and what lower rungs say of it.

    A lower rung's loss is carried over for candidates that were not measured higher: along the line through those
    that were, with the variance that the line leaves over; a rung with fewer than four of these is left out. Pruned
    trials count as no better than the median of the complete ones; failed trials are left out.
    """
    rungs = [rung for rung in (_measured(members, objective) for members in _by_rung(trials)) if rung]
    while rungs and len(rungs[-1]) < FEWEST_RECORDS:
        rungs.pop()
    if not rungs:
        return Losses((), np.empty(0), np.empty(0))
    known = rungs.pop()
    for lower in reversed(rungs):
        known = known + _carried(lower, known)
    candidates, loss, variance = zip(*known, strict=True)
    return Losses(candidates, np.array(loss), np.array(variance))


def measured(trials: Sequence[Trial], objective: Objective) -> list[Trial]:
    """The trials that did not fail, for what learns from these alone, beside a `Feasibility`."""
    return [trial for trial in trials if not _is_failure(trial, objective)]


def failures(trials: Sequence[Trial], objective: Objective) -> tuple[tuple[Candidate, ...], NDArray[np.bool_]]:
    """Each finished trial's candidate, and `[n]` whether it failed: ended without a value."""
    failed = np.array([_is_failure(trial, objective) for trial in trials], dtype=bool)
    return tuple(trial.candidate for trial in trials), failed


_Row = tuple[Candidate, float, float]  # candidate, loss, variance


def _by_rung(trials: Sequence[Trial]) -> list[list[Trial]]:
    rungs: dict[int, list[Trial]] = {}
    for trial in trials:
        rungs.setdefault(trial.suggestion.fidelity.rung, []).append(trial)
    return [rungs[rung] for rung in sorted(rungs)]


def _quantiles(members: Sequence[Trial], objective: Objective) -> Mapping[str, float]:
    ranks: dict[str, list[float]] = {}
    for trial, rank in zip(members, loss_ranks(members, objective), strict=True):
        ranks.setdefault(trial.candidate.fingerprint, []).append(float(rank))
    return {name: (float(np.mean(all_)) - 0.5) / len(members) for name, all_ in ranks.items()}


def _failed(members: Sequence[Trial], objective: Objective) -> set[str]:
    has_value = {trial.candidate.fingerprint for trial in members if not _is_failure(trial, objective)}
    return {trial.candidate.fingerprint for trial in members} - has_value


def _is_failure(trial: Trial, objective: Objective) -> bool:
    return trial.state is TrialState.FAIL or trial.value(objective.metric) is None


def _measured(members: Sequence[Trial], objective: Objective) -> list[_Row]:
    rows: list[_Row] = []
    with_value = [trial for trial in members if not _is_failure(trial, objective)]
    complete = [_loss(trial, objective) for trial in with_value if trial.state is TrialState.COMPLETE]
    least = float(np.median(complete)) if complete else -np.inf
    for trial in with_value:
        loss = _loss(trial, objective)
        loss = max(loss, least) if trial.state is TrialState.PRUNED else loss
        rows.append((trial.candidate, loss, _variance(trial, objective)))
    return rows


def _loss(trial: Trial, objective: Objective) -> float:
    value = trial.value(objective.metric)
    assert value is not None  # its caller asked
    return objective.loss(value)


def _variance(trial: Trial, objective: Objective) -> float:
    stderr = trial.evaluation.metrics[objective.metric].stderr if trial.evaluation else None
    return np.nan if stderr is None else stderr**2


def _carried(lower: Sequence[_Row], known: Sequence[_Row]) -> list[_Row]:
    below, above = _means(lower), _means(known)
    shared = [name for name in below if name in above]
    if len(shared) < FEWEST_SHARED:
        return []
    x, y = np.array([below[name] for name in shared]), np.array([above[name] for name in shared])
    slope = max(float(np.cov(x, y)[0, 1] / np.var(x, ddof=1)), 0.0) if np.ptp(x) > 0 else 0.0
    left_over = y - y.mean() - slope * (x - x.mean())
    variance = float(left_over @ left_over) / (len(shared) - 2)
    return [
        (candidate, float(y.mean() + slope * (loss - x.mean())), variance)
        for candidate, loss, _ in lower
        if candidate.fingerprint not in above
    ]


def _means(rows: Sequence[_Row]) -> Mapping[str, float]:
    losses_: dict[str, list[float]] = {}
    for candidate, loss, _ in rows:
        losses_.setdefault(candidate.fingerprint, []).append(loss)
    return {name: float(np.mean(all_)) for name, all_ in losses_.items()}
