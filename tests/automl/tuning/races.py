"""Tunings of made-up models: what is wanted is trained at once, by a function."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from automl.tuning import TUNED_STAGE, TUNING_STAGE, Contender, TuningPlan, needed, still_to_measure
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options

Loss = Callable[[Suggestion], float | None]


def contender(name: str, base: float = 0.0) -> Contender:
    """A model of one number, which is at `base` first and drawn within one above."""
    return Contender(
        name,
        Candidate(None, Options(place=base)),
        lambda rng: Candidate(None, Options(place=base + float(rng.random()))),
    )


def plan(budget: int, *, reduction: int = 3) -> TuningPlan:
    """A plan without rungs."""
    return TuningPlan(budget, Objective("ne"), reduction=reduction)


def ended(number: int, stage: str, suggestion: Suggestion, loss: Loss) -> Trial:
    """The finished trial of a suggestion; without a loss it has failed."""
    value = loss(suggestion)
    if value is None:
        failure = Failure(FailureKind.DIVERGED, "made up")
        return Trial(number, stage, suggestion, TrialState.FAIL, failure=failure, finish_order=number)
    evaluation = Evaluation({"ne": Metric(value, 0.002), "auc": Metric(1 - value)}, seconds=2.0)
    return Trial(number, stage, suggestion, TrialState.COMPLETE, evaluation, finish_order=number)


def tuned(plan: TuningPlan, models: Sequence[Contender], loss: Loss, *, seeds: int = 0) -> list[Trial]:
    """The whole record, fresh replicates included."""
    trials: list[Trial] = []
    while groups := needed(trials, plan, models):
        trials += [
            ended(len(trials) + at, TUNING_STAGE, one, loss)
            for at, one in enumerate(suggestion for group in groups for suggestion in group)
        ]
    for group in still_to_measure(trials, plan, models, seeds=seeds):
        for one in group:
            trials.append(ended(len(trials), TUNED_STAGE, one, loss))
    return trials


def place(suggestion: Suggestion) -> float:
    """The number of a made-up model's setting."""
    value = suggestion.candidate.training["place"]
    assert isinstance(value, int | float)
    return float(value)


def renumbered(trials: Sequence[Trial]) -> list[Trial]:
    """The same trials, numbered from 0."""
    return [replace(one, number=number) for number, one in enumerate(trials)]
