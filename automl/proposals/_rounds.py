"""Search in rounds: fit a predictor, train policies on it, launch the best and most different of what they drew.

Sources: Yin et al. 2023, AutoML for Large Capacity Modeling of Meta's Ranking Systems; Wen et al. 2024, CubicML:
automated ML for large ML systems co-design with ML prediction of performance.
"""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from automl.proposals._asking import in_turn, random_suggestion
from automl.proposals._bounds import KnownBounds
from automl.proposals._designs import Spread
from automl.proposals._foreseen import Foreseen, Ground
from automl.proposals._planning import Aims, Plan, Planner, Promise
from automl.proposals._policy import Policy
from automl.proposals._reinforce import Schedule
from automl.proposals._starts import is_start
from automl.proposals._sure_failures import SureFailures
from automl.proposals._told import prediction_memo
from automl.proposals._trust import cross_validated_trust
from automl.proposals._unseen import Identity, every_assignment
from evaluators import Objective, Suggestion, Trial
from predictors import Prediction, Predictor
from searchspaces import Assignment, Candidate, Options, Value

SPARE = 2
"""Proposals that each policy keeps for one that a round needs: some may be asked by others meanwhile."""

MOST_DECODED = 50_000
"""Candidates that are kept from round to round: what policies draw is often what they drew before."""

DRAWS = 200
"""Of random candidates in a row that surely fail or break a bound, before one of them is launched all the same."""


@dataclass(frozen=True)
class Rounds:
    """The first `initial` suggestions are blind; then a round takes `size`, of which a share `exploration` is random.

    Blind ones follow the `design`, or chance where there is none. What `failures` is sure of is not launched, nor what
    is known to break `bounds`. A space of no more than `listed` candidates is looked at as a whole, which needs no
    policy.
    """

    initial: int
    size: int
    exploration: float = 0.0
    design: Spread | None = None
    failures: SureFailures | None = None
    bounds: KnownBounds | None = None
    listed: int = 0


@dataclass(eq=False)
class PolicyRounds:
    """The loop of `predictor_rl` and `cubicml`: an ask-tell searcher but for its options.

    The guide is fitted once a round, to `learned`, by the record up to the round's first trial alone, so that a
    resumed study gets the same one; it is followed unless its cross-validated rank correlation is surely bad.
    """

    learned: Objective
    guide: Predictor
    ground: Ground
    aims: Aims
    schedule: Schedule
    rounds: Rounds
    _told: list[Trial] = field(default_factory=list, init=False, repr=False)
    _searched: int = field(default=0, init=False, repr=False)
    _below: set[str] = field(default_factory=set, init=False, repr=False)
    _cut: int = field(default=0, init=False, repr=False)
    _planned: Plan | None = field(default=None, init=False, repr=False)
    _planned_at: int = field(default=0, init=False, repr=False)
    _decoded: dict[bytes, Candidate] = field(default_factory=dict, init=False, repr=False)

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        The memo holds what the guide has `predicted` (comparable within one round alone) and its `spread`, both also of
        objectives that are learned beside it (`predicted_qps`), the `alpha` whose policy found the candidate, whether
        it was `explored` blindly, and the guide's rank correlation `tau`, cross-validated at the beginning of the
        round, with its upper 90 % bound `tau_upper`, and whether it was followed: `guided`.
        """
        taken = {trial.suggestion.identity for trial in self._told} | {one.identity for one in pending}
        if self.rounds.failures is not None:
            self.rounds.failures.learn(self._told)

        def proposed(made: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
            first = self._guided(gone, rng) if self._cut else self._start([*pending, *made], gone, rng)
            return first or self._random(gone, rng)

        return in_turn(n, taken, proposed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remembers finished trials; each that ends the first ones, or a round, lets the guide learn again."""
        for trial in trials:
            is_new = trial.candidate.fingerprint not in self._below
            self._add(trial, counts=trial.stage == "search" and is_new)

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Remembers trials of cheap rungs; those of new candidates count as the others do."""
        for trial in trials:
            name = trial.candidate.fingerprint
            self._add(trial, counts=name not in self._below)
            self._below.add(name)

    def _add(self, trial: Trial, *, counts: bool) -> None:
        self._told.append(trial)
        if self.rounds.bounds is not None:
            self.rounds.bounds.learn([trial])
        self._searched += counts
        beyond = self._searched - self.rounds.initial
        if counts and beyond >= 0 and beyond % self.rounds.size == 0:
            self._cut = len(self._told)

    def _start(
        self, underway: Sequence[Suggestion], taken: Set[Identity], rng: np.random.Generator
    ) -> Suggestion | None:
        if self.rounds.design is None:
            return None
        known = [*(trial.candidate for trial in self._told), *(one.candidate for one in underway)]
        place = self._searched + len(underway)
        return self.rounds.design.next(known, place, taken=taken, rng=rng, allows=self._may_launch)

    def _guided(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        plan = self._current()
        if rng.random() < self.rounds.exploration:
            return None
        promises = (one for one in plan.promises if Suggestion(one.candidate).identity not in taken)
        promise = next((one for one in promises if self._may_launch(one.candidate)), None)
        if promise is None:
            return None
        predicted = Prediction(np.array([promise.predicted]), np.array([promise.spread]))
        memo = self._memo(plan, promise.candidate, predicted, explored=False)
        memo |= {"alpha": promise.alpha, "reward": promise.reward}
        return Suggestion(promise.candidate, origin="policy", memo=Options(memo))

    def _random(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        suggestion = self._drawn(taken, rng)
        if suggestion is None or not self._cut:
            return suggestion
        plan = self._current()
        predicted = self.guide.predict([suggestion])
        memo = self._memo(plan, suggestion.candidate, predicted, explored=True)
        return replace(suggestion, memo=Options(memo))

    def _drawn(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        """By chance; the first of many that surely fail or break a bound, where all of them do."""
        first = random_suggestion(self.ground.space, taken, rng)
        found = first
        for _ in range(DRAWS):
            if found is None or self._may_launch(found.candidate):
                break
            found = random_suggestion(self.ground.space, taken, rng)
        return found if found is None or self._may_launch(found.candidate) else first

    def _may_launch(self, candidate: Candidate) -> bool:
        if self.rounds.bounds is not None and not self.rounds.bounds.keeps(candidate):
            return False
        return self.rounds.failures is None or not self.rounds.failures.foretells(candidate)

    def _current(self) -> Plan:
        """The round's plan, and the guide as it was fitted for it: a function of the record up to the cut alone."""
        if self._planned is None or self._planned_at != self._cut:
            record = self._told[: self._cut]
            known = [one for one in record if one.stage == "search" or is_start(one, self.ground.space)]
            trust = cross_validated_trust(self.guide, known, self.learned, np.random.default_rng([len(known), 2]))
            self.guide.fit(known, self.learned.metric, rng=np.random.default_rng(len(known)))
            self.ground.learn(known)
            is_followed = trust is None or trust.is_earned
            taken = {trial.suggestion.identity for trial in record}
            self._planned = Plan(self._promises(taken, len(known)) if is_followed else (), trust)
            self._planned_at = self._cut
        return self._planned

    def _promises(self, taken: Set[Identity], known: int) -> tuple[Promise, ...]:
        if len(self._decoded) > MOST_DECODED:
            self._decoded.clear()
        policy = Policy.uniform(self.ground.space.decisions())
        foreseen = Foreseen(self.ground, policy, self.guide, self._decoded)
        every = self._every
        listed = np.stack([policy.row(one) for one in every]) if every else None
        planner = Planner(self.aims, self.schedule, foreseen, taken, listed)
        return planner.promises(np.random.default_rng([known, 1]))

    def _memo(self, plan: Plan, candidate: Candidate, predicted: Prediction, *, explored: bool) -> dict[str, Value]:
        memo = prediction_memo(predicted, further=self.ground.predicted([candidate])) | {"explored": explored}
        return memo | (plan.trust.memo() if plan.trust else {})

    @cached_property
    def _every(self) -> list[Assignment] | None:
        return every_assignment(self.ground.space, self.rounds.listed) if self.rounds.listed else None
