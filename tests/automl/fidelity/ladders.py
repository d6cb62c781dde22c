"""Ladders, trials at their rungs and audits that have ended, without any training."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from automl.fidelity import AUDIT_STAGE, AuditPlan, Ladder, Rule, needed
from evaluators import Evaluation, Failure, Fidelity, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate, Options
from tests.automl._bitstrings import Bitstrings, finished, loss, measured

NE = Objective("ne")
LADDER = Ladder.of([{"rows": 10}, {"rows": 100}, {}])
PLAN = AuditPlan(LADDER, NE, Rule(steps=(12, 24), resamples=200))


def at_rung(
    number: int, ne: float, rung: int = 0, *, name: int | None = None, flops: float = 1.0, stage: str = "search"
) -> Trial:
    """A complete trial of the candidate `name`, by default one of its own."""
    candidate = Candidate(training=Options(name=number if name is None else name))
    evaluation = Evaluation({"ne": Metric(ne), "flops": Metric(flops)})
    return Trial(number, stage, Suggestion(candidate, Fidelity(rung)), TrialState.COMPLETE, evaluation)


def audit_trials(plan: AuditPlan = PLAN, *, wrong: tuple[int, ...] = (), seed: int = 5) -> list[Trial]:
    """The trials of an audit that ran to its end: exact labels, but those of the rungs in `wrong` are drawn."""
    rng, trials = np.random.default_rng(seed), list[Trial]()
    candidates = [Bitstrings().sample(rng) for _ in range(plan.rule.steps[-1])]
    while groups := needed(trials, plan, candidates):
        for suggestion in (one for group in groups for one in group):
            outcome = measured(suggestion.candidate)
            if suggestion.fidelity.rung in wrong:
                outcome = Evaluation({"ne": Metric(_fixed_draw(suggestion.candidate)), "flops": Metric(1.0)})
            trials.append(finished(len(trials), suggestion, outcome, stage=AUDIT_STAGE))
    return trials


def told_on(suggestions: list[Suggestion], first: int) -> Iterator[Trial]:
    """The trials that suggestions end as: a cheap rung has the right order, at another level."""
    for number, suggestion in enumerate(suggestions, first):
        value = 0.8 + loss(suggestion.candidate) - 0.5 * suggestion.fidelity.rung
        yield finished(number, suggestion, Evaluation({"ne": Metric(value), "flops": Metric(1.0), "params": Metric(1)}))


def drawn(trial: Trial) -> Trial:
    """The same trial with a value that has nothing to do with its candidate's quality, yet always the same."""
    evaluation = Evaluation({"ne": Metric(_fixed_draw(trial.candidate)), "flops": Metric(1.0), "params": Metric(1)})
    return replace(trial, evaluation=evaluation)


def failed(trial: Trial, failure: Failure) -> Trial:
    """The same trial, without a result."""
    return Trial(trial.number, trial.stage, trial.suggestion, TrialState.FAIL, failure=failure)


def _fixed_draw(candidate: Candidate) -> float:
    return float(np.random.default_rng(int(candidate.fingerprint.rpartition(":")[2], 16)).random())
