"""How often the verdict of finals is wrong on planted ties, and what it sees of planted winners.

Letters: K finalists, B baselines, S seeds, rho correlation of two models' NE over seeds (common random numbers).
NE of a training: true value of its model + sigma (sqrt(rho) luck of the seed + sqrt(1 - rho) luck of the training).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl.bench._timing import machine
from automl.finals import MARGIN, Kind, Scores, Verdict, judge

BASE_NE = 0.85
SEED_SD = 0.0016
"""Of a training's NE: ten trainings of one DCNv2 on kuairand_pure. Differences have sqrt(2 (1 - rho)) of it."""

CORRELATIONS = (0.0, 0.5, 0.8)
"""Of two models under one seed. Among the four best of docs/benchmarks/kuairand.json, over five seeds, the median is
0.77 and the least 0.37."""

EFFECTS = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)
"""Percent of NE by which one finalist is better than all else."""

SEEDS = (3, 5, 10)
FINALISTS = (3, 5)
BASELINES = 5
DAYS = 7
DAY_SD = 0.0008
"""Of a difference between two days: half the seed's, invented, since nobody has measured it."""

Vector = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """One cell of the table; `days` above one asks for the test over seeds and days."""

    effect_percent: float
    seeds: int
    finalists: int
    correlation: float
    days: int = 1


def finals(*, simulations: int, seed: int = 1) -> dict[str, Any]:
    """Judges planted finals by the rule of `automl finals` itself; shares with their 95 % intervals (Wilson 1927).

    The luck of a training is the same on valid and on test. That is the hardest case: the finalist is the best of K
    on valid, so it brings the largest luck of K to the test, while the baseline is the best of `BASELINES`.
    `ties_hardest` has one baseline alone, that nobody has chosen.
    """
    rng = np.random.default_rng(seed)
    ties = [Case(0.0, *one) for one in product(SEEDS, FINALISTS, CORRELATIONS)]
    better = [Case(*one) for one in product(EFFECTS, SEEDS, FINALISTS, CORRELATIONS[1:]) if one[0] > 0.0]
    daily = [Case(effect, 5, 3, CORRELATIONS[-1], DAYS) for effect in EFFECTS]
    return {
        "simulations": simulations,
        "seed": seed,
        "seed_sd": SEED_SD,
        "baselines": BASELINES,
        "margin_percent": MARGIN,
        "machine": machine(),
        "ties": [_row(case, simulations, rng) for case in ties],
        "ties_hardest": [_row(case, simulations, rng, baselines=1) for case in ties],
        "winners": [_row(case, simulations, rng) for case in better],
        "over_days": [_row(case, simulations, rng) for case in daily],
    }


def wilson(hits: int, of: int) -> tuple[float, float]:
    """The 95 % interval of a share.

    Source: Wilson 1927, Probable inference, the law of succession, and statistical inference.

    >>> [round(one, 3) for one in wilson(5, 100)]
    [0.022, 0.112]
    """
    z = 1.959964
    share, spread = hits / of, z * z / of
    middle = (share + spread / 2.0) / (1.0 + spread)
    half = z * np.sqrt(share * (1.0 - share) / of + spread / (4.0 * of)) / (1.0 + spread)
    return float(middle - half), float(middle + half)


def _row(case: Case, simulations: int, rng: np.random.Generator, *, baselines: int = BASELINES) -> dict[str, Any]:
    kinds: Counter[Kind] = Counter()
    covered = 0
    for _ in range(simulations):
        verdict = judge(_planted(case, baselines, rng), np.full(case.days, 1.0 / case.days))
        kinds[verdict.kind] += 1
        covered += int(_covers(verdict, case))
    shares = {kind.name.lower(): kinds[kind] / simulations for kind in Kind}
    return {
        **vars(case),
        **shares,
        "winner_interval": [round(one, 4) for one in wilson(kinds[Kind.WINNER], simulations)],
        "interval_covers": covered / simulations,
    }


def _planted(case: Case, baselines: int, rng: np.random.Generator) -> list[Scores]:
    """The first finalist is the better one; all others are as good as the baselines."""
    models = case.finalists + baselines
    truth = np.full((models, 1), BASE_NE)
    truth[0] *= 1.0 - case.effect_percent / 100.0
    luck, own = rng.normal(size=(1, case.seeds)), rng.normal(size=(models, case.seeds))
    valid = truth + SEED_SD * (np.sqrt(case.correlation) * luck + np.sqrt(1.0 - case.correlation) * own)
    test = valid[:, :, None] + _of_days(models, case, rng)
    return [Scores(str(place), place >= case.finalists, valid[place], test[place]) for place in range(models)]


def _of_days(models: int, case: Case, rng: np.random.Generator) -> Vector:
    """What a day adds for one model, and what it adds for one of its trainings; `[models, seeds, days]`."""
    if case.days == 1:
        return np.zeros((1, 1, 1))
    daily = rng.normal(scale=DAY_SD, size=(models, 1, case.days))
    return np.asarray(daily + rng.normal(scale=DAY_SD, size=(models, case.seeds, case.days)))


def _covers(verdict: Verdict, case: Case) -> bool:
    """Whether the stated interval holds the true difference of the two that were compared."""
    truth = -BASE_NE * case.effect_percent / 100.0 * (verdict.chosen == "0")
    low, high = verdict.judged.comparison.interval()
    return low <= truth <= high
