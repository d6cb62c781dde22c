"""What runs are worth: of each, after every trial, the truth of what would be declared then.

Letters: T trials, y observed loss of a candidate (the mean over its replicates so far), f its true loss.

The winner is declared by y and judged by f: a searcher that mines noise declares what only looks good. The front is
declared by y and judged by the hypervolume of f (costs are exact), as a share of what the whole table has.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from automl.bench.race.ground import Ground
from automl.bench.race.running import Run
from automl.front import hypervolume

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Score:
    """Of one run, after each trial, [T].

    regret      f of the declared winner less the best of the table
    gap         f of the declared winner less the best f among what was tried
    volume      share of the table's hypervolume that the declared front lacks; empty with one objective
    tried       the same share at the end of the true front of all that was tried: what declaring has not lost
    judged      regret of the winner by the judge's means at the end, and the same share; empty without a judge
    """

    regret: Values
    gap: Values
    volume: Values
    tried: float | None
    judged: tuple[float, ...]


def score(ground: Ground, run: Run, *, trials: int) -> Score:
    """The scores of a run; where it ended early, its last ones hold on to trial `trials`."""
    sums: dict[int, list[float]] = {}
    best_tried = np.inf
    regret, gap, volume = [], [], []
    fronts: dict[tuple[int, ...], float] = {}
    for row, value in zip(run.rows, run.losses, strict=True):
        if value is not None:
            sums.setdefault(row, []).append(value)
            best_tried = min(best_tried, ground.truth[row, 0])
        means = {at: sum(values) / len(values) for at, values in sums.items()}
        declared = min(means, key=lambda at: means[at]) if means else None
        true = np.nanmax(ground.truth[:, 0]) if declared is None else ground.truth[declared, 0]
        regret.append(true - ground.best)
        gap.append(true - min(best_tried, true))
        if len(ground.objectives) > 1:
            volume.append(_lacking(ground, means, fronts))
    tried = _lacking(ground, {at: float(ground.truth[at, 0]) for at in sums}, fronts) if volume else None
    whole, missed, lacking = (_held(np.array(one, np.float64), trials) for one in (regret, gap, volume))
    return Score(whole, missed, lacking, tried, _judged(ground, run))


def declared_front(ground: Ground, means: dict[int, float]) -> tuple[int, ...]:
    """Candidates that no other one beats in observed loss and costs at once."""
    rows = list(means)
    points = np.column_stack([[means[at] for at in rows], ground.truth[rows, 1:]])
    order = np.lexsort(points.T[::-1])
    if points.shape[1] == 2:  # in this order a point is beaten where an earlier one costs no more
        costs = points[order, 1]
        before = np.concatenate([[np.inf], np.minimum.accumulate(costs)[:-1]])
        return tuple(sorted(rows[at] for at in order[costs < before]))
    kept: list[int] = []
    for at in order:
        if not any((points[other] <= points[at]).all() for other in kept):
            kept.append(int(at))
    return tuple(sorted(rows[at] for at in kept))


def _lacking(ground: Ground, means: dict[int, float], fronts: dict[tuple[int, ...], float]) -> float:
    """1 less the share of the whole hypervolume; fronts are remembered, since most trials leave them as they are."""
    if not means:
        return 1.0
    front = declared_front(ground, means)
    if front not in fronts:
        fronts[front] = 1.0 - hypervolume(ground.truth[list(front)], ground.reference) / ground.volume
    return fronts[front]


def _held(values: Values, trials: int) -> Values:
    return values if not len(values) else np.append(values, np.full(max(0, trials - len(values)), values[-1]))


def _judged(ground: Ground, run: Run) -> tuple[float, ...]:
    if not run.judged:
        return ()
    means = dict(run.judged)
    winner = min(means, key=lambda at: means[at])
    found = [float(ground.truth[winner, 0] - ground.best)]
    if len(ground.objectives) > 1:
        found.append(_lacking(ground, means, {}))
    return tuple(found)


def stacked(scores: Sequence[Score], name: str) -> Values:
    """One kind of score of many runs, [runs, T]."""
    return np.array([getattr(one, name) for one in scores], np.float64)
