"""Promotion: who of a rung is trained at the next one; pure functions of what has finished.

Letters: eta the reduction, K the rungs in use, the last of them full training.

`asha` promotes a candidate as soon as it is among the best 1 / eta of what its rung has finished (Li et al. 2020, A
System for Massively Parallel Hyperparameter Tuning). `successive_halving` waits until a bracket of eta^(K-1)
candidates has finished and keeps the best 1 / eta of it at each rung (Jamieson and Talwalkar 2016, Non-stochastic Best
Arm Identification and Hyperparameter Optimization); brackets are made in the order in which trials end, so that no
slow one holds up the rest.

Best means: of the lowest Pareto rank over the objectives within the rung, then of the lowest first loss (as in
Schmucker et al. 2021, Multi-objective Asynchronous Successive Halving, which spreads the ties instead). Failed and
pruned trials are not promoted but count as tried. Bounds are left to the front: a cheap rung need not keep them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from automl.front import losses_of
from automl.ranks import ParetoRanks
from evaluators import Fidelity, Objective, Suggestion, Trial, TrialState

Identity = tuple[str, int, int]


@dataclass(frozen=True)
class Promotion:
    """How candidates climb: the name of the rule, and the reduction eta from rung to rung."""

    name: str = "asha"
    reduction: int = 3

    def first_full(self, rungs: int) -> int:
        """Trials until the first full training ends, where no trial fails.

        >>> Promotion(reduction=3).first_full(rungs=2)
        4
        """
        return sum(self.reduction**place for place in range(rungs))


def promotable(
    trials: Sequence[Trial],
    fidelities: Sequence[Fidelity],
    begun: Collection[Identity],
    *,
    promotion: Promotion,
    objectives: Sequence[Objective],
) -> Iterator[Suggestion]:
    """What may climb now, nearest to full training first, each as its trial's suggestion at the next fidelity.

    `trials` are the search's finished ones in the order in which they ended; `fidelities` the rungs in use, cheapest
    first. What is in `begun` at the next rung is left out.
    """
    rule = PROMOTIONS[promotion.name]
    best = rule([_at(trials, one) for one in fidelities[:-1]], promotion.reduction, objectives)
    for place in range(len(fidelities) - 2, -1, -1):
        for trial in best[place]:
            name, _, replicate = trial.suggestion.identity
            if (name, fidelities[place + 1].rung, replicate) not in begun:
                yield replace(trial.suggestion, fidelity=fidelities[place + 1])


def ranked(trials: Sequence[Trial], objectives: Sequence[Objective]) -> list[Trial]:
    """The complete trials of one rung, best first; those without a metric are left out."""
    complete = [
        trial
        for trial in trials
        if trial.state is TrialState.COMPLETE and all(trial.value(one.metric) is not None for one in objectives)
    ]
    losses = [(*losses_of(trial, objectives), trial.number) for trial in complete]
    order = sorted(range(len(complete)), key=losses.__getitem__)
    ranks = _ranks([losses[place][:-1] for place in order])
    return [complete[order[place]] for place in np.argsort(ranks, kind="stable")]


def _ranks(losses: Sequence[tuple[float, ...]]) -> list[int]:
    """Pareto ranks of losses in lexicographic order; an ask may rank thousands, so one or two losses are swept.

    A point of two losses belongs to the first front whose smallest second loss lies above its own: what comes earlier
    is no worse in the first (Zhang et al. 2015, An Efficient Approach to Nondominated Sorting).
    """
    if not losses or len(losses[0]) == 1:
        return list(range(len(losses)))
    if len(losses[0]) > 2:
        ranks = ParetoRanks()
        for place, point in enumerate(losses):
            ranks.add(place, point)
        by_place = ranks.ranks
        return [by_place[place] for place in range(len(losses))]
    lowest: list[float] = []
    found = []
    for _, second in losses:
        rank = bisect_right(lowest, second)
        lowest[rank : rank + 1] = [second]
        found.append(rank)
    return found


def _asha(rungs: Sequence[Sequence[Trial]], reduction: int, objectives: Sequence[Objective]) -> list[list[Trial]]:
    return [ranked(trials, objectives)[: len(trials) // reduction] for trials in rungs]


def _successive_halving(
    rungs: Sequence[Sequence[Trial]], reduction: int, objectives: Sequence[Objective]
) -> list[list[Trial]]:
    size = reduction ** len(rungs)
    chosen: list[list[Trial]] = [[] for _ in rungs]
    for first in range(0, len(rungs[0]) - size + 1, size):
        members = list(rungs[0][first : first + size])
        for place in range(len(rungs)):
            names = {trial.candidate.fingerprint for trial in members}
            members = [trial for trial in rungs[place] if trial.candidate.fingerprint in names]
            if len(members) < len(names):
                break  # some of the bracket have not finished here
            members = ranked(members, objectives)[: size // reduction ** (place + 1)]
            chosen[place] += members
    return chosen


Rule = Callable[[Sequence[Sequence[Trial]], int, Sequence[Objective]], list[list[Trial]]]
PROMOTIONS: dict[str, Rule] = {"asha": _asha, "successive_halving": _successive_halving}


def _at(trials: Sequence[Trial], fidelity: Fidelity) -> list[Trial]:
    return [trial for trial in trials if trial.suggestion.fidelity == fidelity]
