"""Local search: from the best so far to a better neighbour, until there is none; then from somewhere else.

Source: White, Nolen and Savani 2021, Exploring the Loss Landscape in Neural Architecture Search, also known as Local
Search is State of the Art for NAS Benchmarks. With several objectives it is Pareto local search: Paquete, Chiarandini
and Stuetzle 2004, Pareto Local Optimum Sets in the Biobjective Traveling Salesman Problem.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence, Set

import numpy as np

from automl._errors import ConfigError
from automl.proposals import (
    Guidance,
    Identity,
    KnownBounds,
    Mutants,
    count_mistakes,
    dominance_ranks,
    fitness,
    guidance_mistakes,
    in_turn,
    is_start,
    objective_mistakes,
    share_mistakes,
)
from evaluators import Objective, Suggestion, Trial, TrialState
from predictors import Predictor
from searchspaces import FeatureSchema, Options, SearchSpace

__all__ = ["LocalSearch"]


class LocalSearch:
    """Each descent begins with `starts` random candidates and goes on with neighbours of its best.

    The user's own model is one of the starts of the first descent. With several objectives the best are the descent's
    front, and its member with the fewest children is next. A member of whom `patience` children are no part of the
    front, or who has no unseen neighbour left, is a local optimum; where all are, the next descent begins. `patience`
    stands in for the whole neighbourhood, which is larger here than a study can measure. No candidate is proposed that
    formulas tell to break a bound (see `proposals.KnownBounds`).

    With a `guide` the neighbour is the one of `mutants` drawn that the guide thinks best, but for a share
    `exploration`, as long as the guide orders better than chance (see `proposals.Guidance`).
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        starts: int = 10,
        patience: int = 30,
        mutants: int = 100,
        exploration: float = 0.15,
        guide: Predictor | None = None,
        schema: FeatureSchema | None = None,
    ) -> None:
        """`mutants` and `exploration` matter with a `guide` alone.

        Raises:
            ConfigError: options out of range, or a guide that cannot learn the objectives.
        """
        mistakes = count_mistakes(starts=starts, patience=patience, mutants=mutants)
        mistakes += share_mistakes(exploration=exploration)
        mistakes += guidance_mistakes(objectives) if guide else objective_mistakes(objectives)
        if mistakes:
            raise ConfigError("the searcher 'local_search'", mistakes)
        self._space = space
        self._objectives = tuple(objectives)
        self._starts = starts
        self._patience = patience
        guidance = None if guide is None else Guidance(guide, fitness(objectives).metric, exploration)
        self._known = KnownBounds(objectives, schema)
        self._mutants = Mutants(space, mutants, guidance, self._known.keeps)
        self._lessons: list[Trial] = []
        self._descent: list[Trial] = []
        self._number = 0
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        The memo holds the number of the `descent`; with a guide that of a neighbour is also that of
        `proposals.Guidance`.
        """
        taken = self._seen | {suggestion.identity for suggestion in pending}
        return in_turn(n, taken, lambda made, gone: self._next([*pending, *made], gone, rng))

    def tell(self, trials: Sequence[Trial]) -> None:
        """Adds finished trials and starts to their descent; a trial of a new descent ends the one before."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        for trial in trials:
            if trial.stage != "search" and not is_start(trial, self._space):
                continue
            self._lessons.append(trial)
            self._known.learn([trial])
            number = self._number_of(trial.suggestion)
            if number > self._number:
                self._number, self._descent = number, []
            if number == self._number:
                self._descent.append(trial)
        self._mutants.told(self._lessons)

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Teaches the guide, where there is one, and nothing else."""
        self._lessons.extend(trials)
        self._mutants.told(self._lessons)

    def _next(
        self, underway: Sequence[Suggestion], taken: Set[Identity], rng: np.random.Generator
    ) -> Suggestion | None:
        """The next start or neighbour of the latest descent that was begun, else the first start of another."""
        latest = max((self._number_of(one) for one in underway), default=self._number)
        members = self._descent if latest <= self._number else []
        begun = [one for one in underway if "descent" in one.memo and self._number_of(one) == latest]
        if len(members) + len(begun) < self._starts:
            return self._random(latest, taken, rng)
        for centre in self._centres(members, begun):
            neighbour = self._neighbour(centre, latest, taken, rng)
            if neighbour is not None:
                return neighbour
        # Where nothing of a descent that is under way is told yet, there is nothing to be a neighbour of.
        return self._random(latest + 1 if members else latest, taken, rng)

    def _centres(self, members: Sequence[Trial], begun: Sequence[Suggestion]) -> Iterator[Trial]:
        """The best of the descent that are no local optima yet, the least explored first."""
        complete = [trial for trial in members if trial.state is TrialState.COMPLETE]
        ranks = dominance_ranks(complete, self._objectives)
        best = [trial for trial, rank in zip(complete, ranks, strict=True) if rank == 1]
        own = {trial.number for trial in best}
        tried = Counter(parent for trial in members if trial.number not in own for parent in trial.suggestion.parents)
        tried.update(parent for one in begun for parent in one.parents)
        # Among equals the latest: the end of the descent rather than one of its starts.
        order = sorted(best, key=lambda trial: (tried[trial.number], -trial.number))
        return (trial for trial in order if tried[trial.number] < self._patience)

    def _neighbour(
        self, centre: Trial, descent: int, taken: Set[Identity], rng: np.random.Generator
    ) -> Suggestion | None:
        drawn = self._mutants.drawn(centre, self._lessons, taken, rng)
        if drawn is None:
            return None
        mutant, memo = drawn
        memo = Options({**memo, "descent": descent})
        return Suggestion(mutant, parents=(centre.number,), origin="mutation", memo=memo)

    def _random(self, descent: int, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        return self._known.random_suggestion(self._space, taken, rng, Options(descent=descent))

    def _number_of(self, suggestion: Suggestion) -> int:
        """The descent that a suggestion belongs to; what others proposed belongs to the current one."""
        descent = suggestion.memo.get("descent", self._number)
        return descent if isinstance(descent, int) else self._number
