"""What is trained next, as a pure function of the record: two successive halvings, one inside the other.

Letters: M models, B trials of the budget, R = ceil(log2 M) rounds, eta the reduction.

Among the models: each of R rounds has an equal part of the budget, shared equally by the models still in it, and the
better half goes on (Karnin et al. 2013, Almost Optimal Exploration in Multi-Armed Bandits). So every model is tuned
some, and those that a search has to beat are tuned as well as it was. But an early round takes more than its part where
that part is under `LEAST_TRIALS` a model: a first setting alone says too little of what a model can do.

Among a model's settings: all begin at level 0, and the best 1 / eta of what a level has finished is trained again at
the next one (Li et al. 2020, A System for Massively Parallel Hyperparameter Tuning). Levels are the rungs that
have passed the study's audit, if its searches use any, then full trainings of replicate 0, 1, 2, ...: where all
trainings cost alike, what a good setting is promoted to is another seed, since the best of many values of one seed is
mostly a lucky one. A setting is worth the mean of its full trainings.

The trials have stages of their own: they use none of the search's budget and stand on no front.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from automl.tuning._contenders import Contender
from evaluators import Fidelity, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate

TUNING_STAGE, TUNED_STAGE = "tuning", "tuned"

MOST_REPLICATES = 5
"""Full trainings that a setting is tuned by, at most."""

LEAST_TRIALS = 3
"""Trials of a model in a round, if the budget has them: after one, good boosted trees with a poor default left."""

FIRST_FRESH = 101
"""First replicate of the winners' own measurement: no search, audit or tuning comes there."""


@dataclass(frozen=True)
class TuningPlan:
    """How baselines are tuned: trials in all, what is measured, the fidelities in use (full training last)."""

    budget: int
    objective: Objective
    fidelities: tuple[Fidelity, ...] = field(default=(Fidelity(),))
    reduction: int = 3

    @property
    def levels(self) -> tuple[tuple[Fidelity, int], ...]:
        """What settings climb: (fidelity, replicate)."""
        cheap = tuple((one, 0) for one in self.fidelities[:-1])
        return (*cheap, *((self.fidelities[-1], replicate) for replicate in range(MOST_REPLICATES)))

    @property
    def first_full(self) -> int:
        """The first level of full training."""
        return len(self.fidelities) - 1


def needed(
    trials: Sequence[Trial], plan: TuningPlan, contenders: Sequence[Contender]
) -> tuple[tuple[Suggestion, ...], ...]:
    """The next suggestions, in groups that can share a pass over the data; none once the budget is used.

    `trials` are the study's; what has begun is not asked for again, so call it when all of it has ended.
    """
    by_model = {one.name: tuning_of(trials, one) for one in contenders}
    for alive, limits in _rounds(by_model, plan, contenders):
        wanted = [
            suggestion
            for one in alive
            for suggestion in _next(one, by_model[one.name], limits[one.name] - len(by_model[one.name]), plan)
        ]
        if wanted:
            return _grouped(wanted)
    return ()


def tuning_of(trials: Sequence[Trial], contender: Contender) -> list[Trial]:
    """The trials that have tuned a contender, by number."""
    return [one for one in trials if one.stage == TUNING_STAGE and one.suggestion.origin == contender.name]


def winner_of(trials: Sequence[Trial], plan: TuningPlan, contender: Contender) -> Candidate | None:
    """The contender's best setting: that of the best mean among those that came highest; None where all failed."""
    return _winner(tuning_of(trials, contender), plan)


def still_to_measure(
    trials: Sequence[Trial], plan: TuningPlan, contenders: Sequence[Contender], *, seeds: int
) -> tuple[tuple[Suggestion, ...], ...]:
    """Full trainings of the winners under fresh replicates that have not begun, in groups as `needed` gives them."""
    begun = {one.suggestion.identity for one in trials if one.stage == TUNED_STAGE}
    wanted = []
    for contender in contenders:
        found = winner_of(trials, plan, contender)
        if found is not None:
            fresh = (
                Suggestion(found, plan.fidelities[-1], FIRST_FRESH + number, origin=contender.name)
                for number in range(seeds)
            )
            wanted += [one for one in fresh if one.identity not in begun]
    return _grouped(wanted)


def _rounds(
    by_model: Mapping[str, Sequence[Trial]], plan: TuningPlan, contenders: Sequence[Contender]
) -> Iterator[tuple[list[Contender], dict[str, int]]]:
    """The models still in it in each round, with the trials that each may have used by the end of it.

    Who goes on is decided by the trials of the rounds before alone, so a later look decides the same.
    """
    alive = list(contenders)
    limits = {one.name: 0 for one in contenders}
    count = max(1, math.ceil(math.log2(max(len(alive), 1))))
    for number in range(count):
        left = plan.budget - sum(limits.values())
        share = left // ((count - number) * len(alive))
        each = max(1, share, min(LEAST_TRIALS, left // len(alive)))
        for one in alive[: left // each]:
            limits[one.name] += each
        yield alive, dict(limits)
        worth = {one.name: _worth(by_model[one.name][: limits[one.name]], plan) for one in alive}
        alive = sorted(alive, key=lambda one: worth[one.name])[: math.ceil(len(alive) / 2)]


def _next(contender: Contender, begun: Sequence[Trial], room: int, plan: TuningPlan) -> list[Suggestion]:
    """At most `room` suggestions: settings that may climb, else new ones, leaving room for those to climb."""
    if room <= 0:
        return []
    climbing = list(_climbing(begun, plan))
    if climbing:
        return climbing[:room]
    known = {one.candidate.fingerprint for one in begun}
    fresh = math.ceil(room * (plan.reduction - 1) / plan.reduction)
    settings = [one for one in contender.settings(len(known) + fresh) if one.fingerprint not in known]
    first = contender.first.fingerprint
    return [
        _suggestion(contender.name, one, plan.levels[plan.first_full if one.fingerprint == first else 0])
        for one in settings[:fresh]
    ]


def _climbing(begun: Sequence[Trial], plan: TuningPlan) -> Iterator[Suggestion]:
    """What may climb, the highest first."""
    known = {one.suggestion.identity for one in begun}
    for place in range(len(plan.levels) - 2, -1, -1):
        finished = [one for one in _at(begun, plan, place) if one.state.is_finished]
        for fingerprint in _ranked(begun, plan, place)[: len(finished) // plan.reduction]:
            trial = next(one for one in finished if one.candidate.fingerprint == fingerprint)
            above = _suggestion(trial.suggestion.origin, trial.candidate, plan.levels[place + 1])
            if above.identity not in known:
                yield above


def _at(trials: Sequence[Trial], plan: TuningPlan, place: int) -> list[Trial]:
    fidelity, replicate = plan.levels[place]
    return [one for one in trials if one.suggestion.fidelity == fidelity and one.suggestion.replicate == replicate]


def _ranked(trials: Sequence[Trial], plan: TuningPlan, place: int) -> list[str]:
    """Fingerprints of the settings that a level has measured, best first."""
    losses = _losses(trials, plan, place)
    return sorted(losses, key=lambda one: losses[one])


def _losses(trials: Sequence[Trial], plan: TuningPlan, place: int) -> dict[str, float]:
    """Mean loss of each setting measured at a level: over the full trainings up to it, or at a cheap rung alone."""
    places = range(plan.first_full, place + 1) if place >= plan.first_full else (place,)
    values: dict[str, list[float]] = {}
    for one in (trial for at in places for trial in _at(trials, plan, at)):
        value = one.value(plan.objective.metric)
        if one.state is TrialState.COMPLETE and value is not None:
            values.setdefault(one.candidate.fingerprint, []).append(plan.objective.loss(value))
    here = {one.candidate.fingerprint for one in _at(trials, plan, place) if one.state is TrialState.COMPLETE}
    return {name: sum(found) / len(found) for name, found in values.items() if name in here}


def _top(plan: TuningPlan, trials: Sequence[Trial]) -> int | None:
    """The highest level of full training that has measured something."""
    places = range(len(plan.levels) - 1, plan.first_full - 1, -1)
    return next((place for place in places if _losses(trials, plan, place)), None)


def _winner(trials: Sequence[Trial], plan: TuningPlan) -> Candidate | None:
    top = _top(plan, trials)
    if top is None:
        return None
    best = _ranked(trials, plan, top)[0]
    return next(one.candidate for one in trials if one.candidate.fingerprint == best)


def _worth(trials: Sequence[Trial], plan: TuningPlan) -> float:
    top = _top(plan, trials)
    return math.inf if top is None else min(_losses(trials, plan, top).values())


def _suggestion(name: str, candidate: Candidate, level: tuple[Fidelity, int]) -> Suggestion:
    return Suggestion(candidate, level[0], level[1], origin=name)


def _grouped(wanted: Sequence[Suggestion]) -> tuple[tuple[Suggestion, ...], ...]:
    """By what a data pass can share: trees apart, then fidelity and replicate."""
    groups: dict[tuple[bool, int, int], list[Suggestion]] = {}
    for one in wanted:
        key = (one.candidate.architecture is None, one.fidelity.rung, one.replicate)
        groups.setdefault(key, []).append(one)
    return tuple(map(tuple, groups.values()))
