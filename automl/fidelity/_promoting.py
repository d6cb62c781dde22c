"""A searcher on a ladder: what it proposes begins at the cheapest rung that passed the audit, and climbs by promotion.

Another searcher proposes. It sees one measure alone: full trainings are told to it as results, and whatever stopped
below as a candidate that was tried, in the form in which it is told of baselines. So no searcher compares a cheap
value with a full one, and every searcher works on a ladder without knowing of it. One with a model of its own that
knows of fidelities (`LearnsFromRungs`) gets the trials of cheap rungs beside that, for the model. What a candidate
carries of its searcher (origin, parents, memo) climbs with it.

Each evaluation at a rung is a trial of the search and of its budget.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain, groupby, islice

import numpy as np

from automl._searcher import Declares, LearnsFromRungs, Searcher
from automl.fidelity._promotion import Identity, Promotion, promotable
from automl.fidelity._recheck import EVERY, is_withdrawn, rechecks
from automl.fidelity._record import AUDIT_STAGE, AuditPlan, RungAudit, accepted, audit_of
from automl.fidelity._verdict import Verdict
from evaluators import Fidelity, Objective, Suggestion, Trial

LOG = logging.getLogger("automl")


@dataclass(eq=False)
class Promoting:
    """Wraps a searcher; without `promotion` everything is trained in full, at the ladder's last rung.

    The audit is read from the trials that are told, so a resumed search uses the same rungs. As long as no rung has
    passed, everything is trained in full. The cheapest rung in use is audited again as the search goes on, and
    withdrawn where it proves wrong.
    """

    searcher: Searcher
    plan: AuditPlan
    objectives: tuple[Objective, ...]
    promotion: Promotion | None = None
    _search: list[Trial] = field(default_factory=list, init=False, repr=False)
    _audited: list[Trial] = field(default_factory=list, init=False, repr=False)
    _begun: set[Identity] = field(default_factory=set, init=False, repr=False)
    _drawn: tuple[tuple[int, int], list[Suggestion]] = field(default=((0, 0), []), init=False, repr=False)
    _seen: set[Identity] = field(default_factory=set, init=False, repr=False)
    _audit: tuple[RungAudit, ...] | None = field(default=None, init=False, repr=False)
    _looked: int = field(default=0, init=False, repr=False)
    _withdrawn: set[int] = field(default_factory=set, init=False, repr=False)
    _has_warned: bool = field(default=False, init=False, repr=False)

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions of one fidelity, which can share a data pass: promotions, else new candidates.

        Fewer also where fewer can climb; another ask then gives the rest.
        """
        fidelities = self.fidelities()
        climbing = list(islice(self._climbing(fidelities, pending), n))
        if climbing:
            return [one for one in climbing if one.fidelity == climbing[0].fidelity]
        held = [replace(one, fidelity=Fidelity()) for one in pending if one.origin != AUDIT_STAGE]
        found = [self._placed(one, fidelities) for one in self.searcher.ask(n, rng, held)]
        return [one for one in found if one.fidelity == found[0].fidelity]

    def _placed(self, suggestion: Suggestion, fidelities: Sequence[Fidelity]) -> Suggestion:
        """A candidate begins at the cheapest rung; another training of one is asked for to know it in full."""
        return replace(suggestion, fidelity=fidelities[-1 if suggestion.replicate else 0])

    def declared(self) -> list[Trial]:
        """What the searcher declares, where it does."""
        return self.searcher.declared() if isinstance(self.searcher, Declares) else []

    def tell(self, trials: Sequence[Trial]) -> None:
        """Keeps what the ladder needs and tells the searcher of results, of what was tried, and of baselines."""
        audited = [trial for trial in trials if trial.stage == AUDIT_STAGE]
        if audited:
            self._audited += audited
            self._audit, self._looked = None, 0
            self._withdrawn.clear()
        searched = [trial for trial in trials if trial.stage == "search"]
        self._search += searched
        self._begun |= {trial.suggestion.identity for trial in searched}
        for is_cheap, some in groupby(trials, key=_is_cheap):  # in order: what a model has seen by a trial is a record
            alike = list(some)
            self.searcher.tell(list(self._told(alike)))
            if is_cheap and isinstance(self.searcher, LearnsFromRungs):
                self.searcher.tell_of_rungs(alike)

    def fidelities(self) -> tuple[Fidelity, ...]:
        """The rungs in use, cheapest first, full training last."""
        if self.promotion is None:
            return (self.plan.ladder.full,)
        if self._audit is None:
            self._audit = audit_of(self._audited, self.plan)
        self._look_again(self._audit)
        passed = [one for one in accepted(self._audit) if one.rung not in self._withdrawn]
        if not passed and not self._has_warned:
            self._has_warned = True
            LOG.warning(_why_in_full(self._audited))
        return (*passed, self.plan.ladder.full)

    def _look_again(self, audit: Sequence[RungAudit]) -> None:
        """Withdraws accepted rungs for good, after every so many trials and by those before alone."""
        passed = [one for one in audit if one.verdict is Verdict.ACCEPTED]
        while EVERY * (self._looked + 1) <= len(self._search):
            self._looked += 1
            known = self._search[: EVERY * self._looked]
            for one in passed:
                rung = one.fidelity.rung
                if rung not in self._withdrawn and is_withdrawn(known, one, self.plan):
                    self._withdrawn.add(rung)
                    LOG.warning("rung %d orders this search's candidates wrongly after all; it is used no more", rung)

    def _climbing(self, fidelities: Sequence[Fidelity], pending: Sequence[Suggestion]) -> Iterator[Suggestion]:
        if self.promotion is None or len(fidelities) == 1:
            return iter(())
        begun = self._begun | {one.identity for one in pending}
        climbing = promotable(self._search, fidelities, begun, promotion=self.promotion, objectives=self.objectives)
        return chain(climbing, (one for one in self._rechecked(fidelities[0]) if one.identity not in begun))

    def _rechecked(self, rung: Fidelity) -> list[Suggestion]:
        """Who was drawn for full training so far; worked out once for each `EVERY` trials, since every ask needs it."""
        key = (len(self._search) // EVERY, rung.rung)
        if self._drawn[0] != key:
            self._drawn = (key, rechecks(self._search, rung, self.plan.ladder.full, seed=self.plan.seed))
        return self._drawn[1]

    def _told(self, trials: Sequence[Trial]) -> Iterator[Trial]:
        for trial in trials:
            plain = replace(trial, suggestion=replace(trial.suggestion, fidelity=Fidelity()))
            if trial.stage in ("search", "baseline") and trial.suggestion.fidelity.is_full:
                yield plain
            elif trial.stage == "search" and plain.suggestion.identity not in self._seen:
                self._seen.add(plain.suggestion.identity)
                yield replace(plain, stage="baseline")


def _is_cheap(trial: Trial) -> bool:
    return trial.stage == "search" and not trial.suggestion.fidelity.is_full


def _why_in_full(audited: Sequence[Trial]) -> str:
    if audited:
        return "no rung of the ladder has passed its audit, so all is trained in full"
    return "the rungs of the ladder are not audited, so all is trained in full; run `automl audit CONFIG` first"
