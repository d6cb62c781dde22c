"""Optuna's samplers behind ask and tell: what the searchers that stand on one of them share.

Imported from here, not from `automl.proposals`: Optuna takes a while to load.

Source: Akiba, Sano, Yanase, Ohta and Koyama 2019, Optuna: A Next-generation Hyperparameter Optimization Framework.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, IntDistribution
from optuna.exceptions import ExperimentalWarning
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial, TrialState, create_trial

from automl.front import losses_of
from automl.proposals._asking import in_turn, random_suggestion
from automl.proposals._dominance import violation
from automl.proposals._starts import is_measured_baseline, why_outside
from automl.proposals._unseen import Identity, unseen_mutant
from evaluators import Objective, Suggestion, Trial
from evaluators import TrialState as State
from searchspaces import Assignment, Candidate, Choice, Decision, Options, SearchSpace

MOST_SEED = 2**31 - 1


@dataclass(frozen=True)
class Peer:
    """One of Optuna's samplers and how it is driven.

    `sampler` makes it from a seed. `startup` complete trials are drawn from the space first, as every searcher does,
    so that all begin alike. A sampler that `walks` is asked for the decisions that count alone, in the order in which
    their conditions allow; another one for all of them, and what does not count is not built: a model over a fixed
    number of decisions would leave those that only sometimes count to chance. `resamples` bounds how often it is
    asked again where it proposes what was tried. `marks` are attributes of the complete trial of this place.
    """

    name: str
    sampler: Callable[[int], BaseSampler]
    startup: int
    walks: bool
    resamples: int
    marks: Callable[[int], dict[str, int]] = lambda _: {}


@dataclass(frozen=True)
class _Told:
    genes: dict[str, int]
    losses: tuple[float, ...] | None  # None where the trial failed
    excess: float  # by how much it breaks the bounds


class OptunaSearch:
    """Asks the sampler of a study in memory that is made from what was told, anew for each ask.

    So an ask changes nothing, and what it gives is decided by the tells and the generator, which seeds the sampler.
    Pending suggestions are running trials of that study, and so is what is asked again. Numbers in order are integers
    to Optuna, everything else categories. Failed trials stand at the worst value of each objective so far, and break
    bounds, which are constraints, as much as any other. Baselines that are points of the space, human-made ones too,
    are trials like all.
    """

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective], peer: Peer) -> None:
        self._space = space
        self._objectives = tuple(objectives)
        self._peer = peer
        self._distributions = {decision.slot: _distribution(decision) for decision in _open(space.decisions())}
        self._told: list[_Told] = []
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        `origin` is the peer's name, `mutation` of what it would not let go of, or `random` at the start and where
        nothing else is new.
        """
        taken = self._seen | {suggestion.identity for suggestion in pending}
        is_begun = sum(one.losses is not None for one in self._told) >= self._peer.startup
        seed = int(rng.integers(MOST_SEED))
        with _silence():
            study = self._study(seed, pending) if is_begun else None

            def proposed(_: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
                found = self._proposed(study, gone, rng) if study else None
                return found or random_suggestion(self._space, gone, rng)

            return in_turn(n, taken, proposed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Adds trials of the search and baselines that are points of the space; others are only remembered."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        for trial in trials:
            if trial.stage == "search" or is_measured_baseline(trial, self._space):
                losses = losses_of(trial, self._objectives) if trial.state is State.COMPLETE else ()
                is_valued = len(losses) == len(self._objectives)
                excess = violation(trial, self._objectives) if is_valued else 0.0
                self._told.append(_Told(self._genes(trial.candidate), losses if is_valued else None, excess))

    def _study(self, seed: int, pending: Sequence[Suggestion]) -> optuna.Study:
        directions = [optuna.study.StudyDirection.MINIMIZE] * len(self._objectives)
        study = optuna.create_study(directions=directions, sampler=self._peer.sampler(seed))
        valued = [(*one.losses, one.excess) for one in self._told if one.losses is not None]
        *worst, excess = (float(most) for most in np.max(valued, axis=0))
        stands = (one if one.losses else replace(one, losses=tuple(worst), excess=excess) for one in self._told)
        study.add_trials(self._complete(one, place) for place, one in enumerate(stands))
        inside = (one.candidate for one in pending if not why_outside(self._space, one.candidate))
        study.add_trials(self._frozen(TrialState.RUNNING, self._genes(candidate)) for candidate in inside)
        return study

    def _complete(self, told: _Told, place: int) -> FrozenTrial:
        is_bounded = any(objective.bound is not None for objective in self._objectives)
        return create_trial(
            state=TrialState.COMPLETE,
            params=told.genes,
            distributions={slot: self._distributions[slot] for slot in told.genes},
            values=told.losses,
            system_attrs=self._peer.marks(place),
            constraints={"bounds": told.excess} if is_bounded else None,
        )

    def _frozen(self, state: TrialState, genes: dict[str, int]) -> FrozenTrial:
        return create_trial(
            state=state, params=genes, distributions={slot: self._distributions[slot] for slot in genes}
        )

    def _proposed(self, study: optuna.Study, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        for resampled in range(self._peer.resamples + 1):
            candidate = self._space.to_candidate(self._decided(study.ask()))
            suggestion = Suggestion(candidate, origin=self._peer.name, memo=Options(resampled=resampled))
            if suggestion.identity not in taken:
                return suggestion
        mutant = unseen_mutant(self._space, candidate, taken, rng)
        return None if mutant is None else Suggestion(mutant, origin="mutation")

    def _decided(self, trial: optuna.Trial) -> Assignment:
        """One choice for each decision that counts, asked of the sampler."""
        made: dict[str, Choice] = {}
        for decision in self._space.decisions():
            counts = decision.counts(made)
            gene = self._asked(trial, decision) if counts or not self._peer.walks else 0
            if counts:
                made[decision.slot] = decision.choices[gene]
        return made

    def _asked(self, trial: optuna.Trial, decision: Decision) -> int:
        distribution = self._distributions.get(decision.slot)
        if isinstance(distribution, IntDistribution):
            return trial.suggest_int(decision.slot, distribution.low, distribution.high)
        if isinstance(distribution, CategoricalDistribution):
            return int(str(trial.suggest_categorical(decision.slot, distribution.choices)))
        return 0

    def _genes(self, candidate: Candidate) -> dict[str, int]:
        """Places of the candidate's choices; where all decisions are asked for, the first for one without effect."""
        assignment = self._space.to_assignment(candidate)
        genes = {}
        for decision in _open(self._space.decisions()):
            if decision.slot in assignment:
                genes[decision.slot] = _place(decision, assignment[decision.slot])
            elif not self._peer.walks:
                genes[decision.slot] = 0
        return genes


def _open(decisions: Sequence[Decision]) -> Iterator[Decision]:
    return (decision for decision in decisions if len(decision.choices) > 1)


def _distribution(decision: Decision) -> BaseDistribution:
    """Over the places of the choices: 1, 1.0 and True are three choices, but one to Optuna."""
    numbers = [one for one in decision.choices if isinstance(one, int | float) and not isinstance(one, bool)]
    is_ordered = len(numbers) == len(decision.choices) > 2 and numbers == sorted(numbers)
    last = len(decision.choices) - 1
    return IntDistribution(0, last) if is_ordered else CategoricalDistribution(tuple(range(last + 1)))


def _place(decision: Decision, chosen: Choice) -> int:
    return next(place for place, choice in enumerate(decision.choices) if repr(choice) == repr(chosen))


@contextmanager
def _silence() -> Iterator[None]:
    """Optuna logs each study and warns of its younger options; both are no news to whoever runs a search."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ExperimentalWarning)
            yield
    finally:
        optuna.logging.set_verbosity(verbosity)
