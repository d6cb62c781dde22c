"""Audits a rung again while a search climbs from it: on those that reached full training, and on two that did not.

Survivors alone cannot tell: they were chosen by the rung, so its order among them is mostly noise. After every
`EVERY` trials two random candidates that stopped at the rung are therefore trained in full as well. In tau each of
them stands for all that stopped, by its inverse chance of being drawn (Horvitz and Thompson 1952, A Generalization of
Sampling Without Replacement from a Finite Universe).

Rung and full training have the same replicate here, which makes tau too large rather than too small. So this audit can
withdraw a rung, where even that tau is surely below the wanted share of its ceiling, but never accepts one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from automl.fidelity._agreement import Vector, ceiling_of_tau, weighted_tau
from automl.fidelity._record import AuditPlan, RungAudit
from evaluators import Fidelity, Suggestion, Trial, TrialState

EVERY, DRAWN = 30, 2
"""Trials of the search between two draws, and how many candidates each of them takes."""

FEWEST_DRAWN, FEWEST_PAIRS = 4, 8
"""Drawn candidates, and candidates in all, below which nothing is said."""

LOOKS = 4
"""Over so many looks the error is shared: a search of some hundred trials looks every `EVERY` of them."""

_SALT = 0x5EC0


def rechecks(trials: Sequence[Trial], rung: Fidelity, full: Fidelity, *, seed: int) -> list[Suggestion]:
    """The stopped candidates that were drawn for full training so far, in the order drawn.

    `trials` are the search's finished ones in the order in which they ended: what is drawn after each `EVERY` of them
    never changes.
    """
    drawn: dict[str, Suggestion] = {}
    at_rung, in_full = dict[str, Trial](), dict[str, Trial]()
    for turn in range(1, len(trials) // EVERY + 1):
        ended = trials[EVERY * (turn - 1) : EVERY * turn]
        at_rung |= _at(ended, rung)
        in_full |= _at(ended, full)
        stopped = [trial for name, trial in at_rung.items() if name not in in_full and name not in drawn]
        rng = np.random.default_rng([seed, _SALT, -rung.rung, turn])
        for place in rng.permutation(len(stopped))[:DRAWN]:
            suggestion = stopped[place].suggestion
            drawn[suggestion.candidate.fingerprint] = replace(suggestion, fidelity=full)
    return list(drawn.values())


def is_withdrawn(trials: Sequence[Trial], audit: RungAudit, plan: AuditPlan) -> bool:
    """Whether the search has shown that an accepted rung is wrong after all."""
    if audit.agreement is None or len(trials) < EVERY * FEWEST_DRAWN // DRAWN:
        return False
    full = plan.ladder.full
    at_rung, in_full = _at(trials, audit.fidelity), _at(trials, full)
    drawn = {one.candidate.fingerprint for one in rechecks(trials, audit.fidelity, full, seed=plan.seed)}
    names = [name for name in at_rung if name in in_full]
    measured = sum(name in drawn for name in names)
    if measured < FEWEST_DRAWN or len(names) < FEWEST_PAIRS:
        return False
    stopped = len(at_rung) - (len(names) - measured)
    chances = np.array([stopped / measured if name in drawn else 1.0 for name in names])
    rng = np.random.default_rng([plan.seed, _SALT, -audit.fidelity.rung])
    weights = rng.multinomial(len(names), np.full(len(names), 1 / len(names)), size=plan.rule.resamples) * chances
    one, other = (_losses([trials_at[name] for name in names], plan) for trials_at in (at_rung, in_full))
    ceiling = ceiling_of_tau(audit.agreement.rung_reliability, audit.agreement.full_reliability)
    upper = np.quantile(weighted_tau(one, other, weights), 1 - (1 - plan.rule.confidence) / LOOKS)
    return bool(upper < plan.rule.share * ceiling)


def _at(trials: Sequence[Trial], fidelity: Fidelity) -> dict[str, Trial]:
    """The complete trials of a rung by fingerprint, in the order in which they ended."""
    return {
        trial.candidate.fingerprint: trial
        for trial in trials
        if trial.suggestion.fidelity == fidelity and trial.state is TrialState.COMPLETE
    }


def _losses(trials: Sequence[Trial], plan: AuditPlan) -> Vector:
    metric = plan.objective.metric
    return np.array([plan.objective.loss(trial.value(metric) or 0.0) for trial in trials])
