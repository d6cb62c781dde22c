"""Decides from a few candidates whether a rung may rank: accept it, refuse it, or look again with more.

An audit looks after 12, 24 and 36 candidates unless told otherwise. The error that one look alone would spend is spread
over all of them: alpha log(1 + (e - 1) t) of it after the share t of the candidates (Lan and DeMets 1983, Discrete
Sequential Boundaries for Clinical Trials, in their form close to Pocock's). Full trainings are dear, so a rung that is
plainly wrong should go after the first look.

Refused    where tau lies below the wanted share of its ceiling, at the error of that look.
Accepted   where tau itself reaches the wanted share, and lies over `FLOOR` of the ceiling at the error of that look.
           More cannot be asked: 36 candidates leave tau a standard error of about 0.08, so that a proof of 0.8 of the
           ceiling would turn away most rungs that are at 0.9 of it.
Undecided  after the last look counts as refused: full training is always right, only dearer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from automl.fidelity._agreement import Agreement, Labels, agreement, resamples

FLOOR = 0.6
"""Share of its ceiling that an accepted rung's tau is surely over."""


class Verdict(StrEnum):
    """What an audit says of a rung."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Rule:
    """When an audit looks, and what it asks for.

    steps       candidates at each look, growing
    share       of its ceiling that tau has to reach
    confidence  one minus the error that all looks together may spend, on either side
    resamples   of the bootstrap over candidates
    """

    steps: tuple[int, ...] = (12, 24, 36)
    share: float = 0.8
    confidence: float = 0.9
    resamples: int = 1000

    def errors(self) -> tuple[float, ...]:
        """What each look may spend; their sum is one minus the confidence."""
        alpha = 1 - self.confidence
        spent = [alpha * math.log(1 + (math.e - 1) * step / self.steps[-1]) for step in self.steps]
        return tuple(now - before for now, before in zip(spent, [0.0, *spent], strict=False))


@dataclass(frozen=True)
class Look:
    """One look at a rung: what was found, and what follows."""

    agreement: Agreement
    verdict: Verdict
    reason: str


def look(rung: Labels, full: Labels, *, at: int, rule: Rule, rng: np.random.Generator) -> Look:
    """The verdict of look number `at`, from 0; only the last one never says undecided.

    Raises:
        AutomlError: rung and full training have different candidates, or too few of them.
    """
    drawn = resamples(rung, full, count=rule.resamples, rng=rng)
    found = agreement(rung, full, drawn, confidence=rule.confidence)
    error = rule.errors()[at]
    if float(np.quantile(drawn.over(rule.share), 1 - error)) < 0:
        return Look(found, Verdict.REFUSED, f"its order is another one: tau is below {rule.share:g} of its ceiling")
    is_above = float(np.quantile(drawn.over(FLOOR), error)) > 0
    if is_above and found.tau >= rule.share * found.ceiling > 0:
        return Look(found, Verdict.ACCEPTED, f"tau reaches {rule.share:g} of its ceiling")
    if at < len(rule.steps) - 1:
        return Look(found, Verdict.UNDECIDED, "more candidates are needed")
    noise = "" if found.ceiling > 0 else "; noise leaves no order to agree with"
    return Look(found, Verdict.REFUSED, f"undecided after {rule.steps[-1]} candidates, which counts as refused{noise}")


def audited(rung: Labels, full: Labels, *, rule: Rule, rngs: Sequence[np.random.Generator]) -> list[Look]:
    """The looks at a rung, up to the one that decides, where all labels are there; one generator a look."""
    looks: list[Look] = []
    for at, step in enumerate(rule.steps):
        looks.append(look(rung.first(step), full.first(step), at=at, rule=rule, rng=rngs[at]))
        if looks[-1].verdict is not Verdict.UNDECIDED:
            break
    return looks
