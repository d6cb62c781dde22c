"""Mutants nobody has tried, and a guide that picks one of many: any predictor, fitted to what was told."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field

import numpy as np

from automl.control import QUALITY_METRICS
from automl.proposals._told import prediction_memo
from automl.proposals._trust import Trust, Watch
from automl.proposals._unseen import Allows, Identity, unseen_mutant, unseen_mutants
from evaluators import KNOWN_METRICS, Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import Candidate, Options, SearchSpace


@dataclass(eq=False)
class Guidance:
    """Ranks mutants by a predicted metric and takes the best, but for a share `exploration` that is drawn blindly.

    The blind share keeps the guide's training data honest. The guide is fitted once per told record with a seed that
    depends on the record's length alone, so that a resumed study gets the same one. One that is `watched` is not
    followed as long as its cross-validated rank correlation is below 0.1 with 90 %: then the first mutant drawn is
    taken, as without a guide. It is looked at when the searcher is told, as that takes several fits.
    """

    guide: Predictor
    metric: str
    exploration: float = 0.0
    watched: bool = True
    _watch: Watch = field(init=False, repr=False)
    _trust: Trust | None = field(default=None, init=False, repr=False)
    _fitted_to: int = field(default=0, init=False, repr=False)

    def __post_init__(self) -> None:
        self._watch = Watch(self.guide, Objective(self.metric))

    def told(self, record: Sequence[Trial]) -> None:
        """Looks at the guide where the record has grown enough; what a searcher does at the end of each `tell`."""
        if self.watched:
            self._watch.look(record)

    def pick(
        self, mutants: Sequence[Candidate], record: Sequence[Trial], rng: np.random.Generator
    ) -> tuple[Candidate, Options]:
        """One of the mutants, which are not none, and its memo.

        The memo holds the guide's `predicted` loss (comparable within one ask alone) and its `spread`, the mutant's
        `rank` among the `mutants` drawn, and whether it was `explored` blindly; once the guide has been looked at, also
        its rank correlation `tau`, the upper bound `tau_upper`, and whether it was followed: `guided`.
        """
        predicted = self._fitted(record).predict([Suggestion(mutant) for mutant in mutants])
        order = np.argsort(predicted.mean, kind="stable")
        is_explored = bool(rng.random() < self.exploration)
        if self._trust is not None and not self._trust.is_earned:
            rank = int(np.flatnonzero(order == 0)[0])
        else:
            rank = int(rng.integers(len(order))) if is_explored else 0
        at = int(order[rank])
        memo = prediction_memo(predicted, at) | {"rank": rank + 1, "mutants": len(mutants), "explored": is_explored}
        return mutants[at], Options(memo | (self._trust.memo() if self._trust else {}))

    def _fitted(self, record: Sequence[Trial]) -> Predictor:
        if self._fitted_to != len(record):
            self._trust = self._watch.look(record) if self.watched else None
            self.guide.fit(record, self.metric, rng=np.random.default_rng(len(record)))
            self._fitted_to = len(record)
        return self.guide


@dataclass(frozen=True, eq=False)
class Mutants:
    """Where a searcher's mutants come from: the first unseen one or, with a guide, the best of `count`.

    None is drawn that `allows` does not allow.
    """

    space: SearchSpace
    count: int
    guidance: Guidance | None = None
    allows: Allows = lambda _: True

    def told(self, record: Sequence[Trial]) -> None:
        """Lets the guide be looked at, where there is one; at the end of each `tell`."""
        if self.guidance is not None:
            self.guidance.told(record)

    def drawn(
        self, parent: Trial, record: Sequence[Trial], taken: Set[Identity], rng: np.random.Generator, *, edits: int = 1
    ) -> tuple[Candidate, Options] | None:
        """A mutant that is not taken, with the guide's memo; None where the neighbourhood has nothing new."""
        if self.guidance is None:
            mutant = unseen_mutant(self.space, parent.candidate, taken, rng, edits=edits, allows=self.allows)
            return None if mutant is None else (mutant, Options())
        mutants = unseen_mutants(self.space, parent.candidate, self.count, taken, rng, edits=edits, allows=self.allows)
        return self.guidance.pick(mutants, record, rng) if mutants else None


def lambdarank(space: SearchSpace, *, faithful: bool = False) -> Predictor:
    """The guide of a searcher that was given none."""
    # Imported here: LightGBM takes half a second to load, and another guide does without it.
    from predictors.lambdarank import LambdaRank

    return LambdaRank(space, faithful=faithful)


def roofline(space: SearchSpace) -> Predictor:
    """What a searcher of training systems learns with, if nothing else is asked for."""
    # Imported here: scipy and scikit-learn take a while to load.
    from predictors.roofline import Roofline

    return Roofline(space)


def fitness(objectives: Sequence[Objective]) -> Objective:
    """What a guide learns: the first objective that measures quality, else the first one; there must be one."""
    return next((one for one in objectives if one.metric in QUALITY_METRICS), objectives[0])


def guidance_mistakes(objectives: Sequence[Objective]) -> list[str]:
    """Why no guide can learn what these objectives ask for, one sentence each."""
    if not objectives:
        return objective_mistakes(objectives)
    learned = fitness(objectives)
    if KNOWN_METRICS.get(learned.metric) is learned.goal:
        return []
    return [
        f"the guide cannot learn to {learned.goal.value} {learned.metric!r}; "
        f"make one of {', '.join(QUALITY_METRICS)} an objective"
    ]


def objective_mistakes(objectives: Sequence[Objective]) -> list[str]:
    """A complaint where nothing tells better from worse."""
    if objectives:
        return []
    return ["an objective is needed to tell better from worse; add 'objectives: [{metric: ne}]'"]


def count_mistakes(**counts: int) -> list[str]:
    """A sentence for each option that counts something and is below 1."""
    return [f"{name} must be at least 1, but is {count}" for name, count in counts.items() if count < 1]


def share_mistakes(**shares: float) -> list[str]:
    """A sentence for each option that is a share and lies outside 0 to 1."""
    return [
        f"{name} is a share between 0 and 1, but is {share}" for name, share in shares.items() if not 0 <= share <= 1
    ]


def range_mistakes(**options: float) -> list[str]:
    """A sentence for each option that is below zero, or no number."""
    return [f"{name} must be zero or more, but is {value}" for name, value in options.items() if not value >= 0]
