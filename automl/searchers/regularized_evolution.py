"""Regularized evolution: the oldest dies, not the worst, so that luck in one measurement does not live on.

Source: Real, Aggarwal, Huang and Le 2019, Regularized Evolution for Image Classifier Architecture Search; its schedule
for ranking models from Zhang et al. 2023, NASRec: Weight Sharing Neural Architecture Search for Recommender Systems,
and the code released with it.

Letters: P population, C children of a generation, G generations, g the generation from 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set

import numpy as np

from automl._errors import ConfigError
from automl.proposals import (
    Guidance,
    Identity,
    KnownBounds,
    Mutants,
    count_mistakes,
    design_mistakes,
    fitness,
    guidance_mistakes,
    in_turn,
    is_baseline,
    is_start,
    objective_mistakes,
    scalarised,
    share_mistakes,
    spread_design,
)
from evaluators import Objective, Suggestion, Trial, TrialState
from predictors import Predictor
from searchspaces import Candidate, FeatureSchema, Options, SearchSpace

__all__ = ["RegularizedEvolution"]

PUBLISHED = {"population": 128, "tournament": 64, "children": 8, "generations": 240, "most_mutations": 6}
"""2,048 evaluations in all."""


class RegularizedEvolution:
    """Draws a tournament from the youngest trials; mutants of its winner are the next generation.

    The first `population` suggestions are random, or spread with `design: spread` (see `proposals.Spread`; not in the
    published form); with a start (the user's own model) every other one of them is its
    neighbour, and it is their elder in the population. Then each generation has one parent and `children` mutants
    of it, `mutations_of` edits away: many at first, one at last. With several objectives each tournament weighs them
    by chance (see `proposals.scalarised`); bounds come before objectives, and nothing is proposed that
    formulas tell to break one (see `proposals.KnownBounds`; not in the published form). Failed trials count, age and
    lose.

    The defaults are Real's one child of one mutation. `faithful` takes NASRec's constants, which spend 2,048 cheap
    evaluations. In between, at a hundred trials, generations of several children that begin with six mutations come
    out behind: strings of 16 bits are solved to a loss of 0.024 instead of 0.000. With a `guide` the mutant is the one
    of `mutants` drawn that the guide thinks best, but for a share `exploration`, as long as the guide orders better
    than chance (see `proposals.Guidance`).
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        population: int = 20,
        tournament: int = 10,
        children: int = 1,
        generations: int = 80,
        most_mutations: int = 1,
        mutants: int = 100,
        exploration: float = 0.15,
        guide: Predictor | None = None,
        faithful: bool = False,
        schema: FeatureSchema | None = None,
        design: str = "random",
    ) -> None:
        """`most_mutations` are those of the first generation; after the last one they stay at one.

        Raises:
            ConfigError: options out of range, a tournament larger than the population, a guide that cannot learn the
                objectives, or one beside `faithful`, which has none.
        """
        schedule = {
            "population": population,
            "tournament": tournament,
            "children": children,
            "generations": generations,
            "most_mutations": most_mutations,
        }
        mistakes = count_mistakes(**schedule, mutants=mutants) + share_mistakes(exploration=exploration)
        mistakes += _mistakes(tournament, population, is_guided_twice=faithful and guide is not None)
        mistakes += guidance_mistakes(objectives) if guide else objective_mistakes(objectives)
        mistakes += design_mistakes(design)
        if mistakes:
            raise ConfigError("the searcher 'regularized_evolution'", mistakes)
        self._space = space
        self._objectives = tuple(objectives)
        self._schedule = PUBLISHED if faithful else schedule
        guidance = None if guide is None else Guidance(guide, fitness(objectives).metric, exploration)
        self._known = KnownBounds(() if faithful else objectives, schema)
        self._mutants = Mutants(space, mutants, guidance, self._known.keeps)
        self._trials: list[Trial] = []
        self._lessons: list[Trial] = []
        self._design = None if faithful else spread_design(design, space, schema)
        self._tried: list[Candidate] = []
        self._starts: list[Trial] = []
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        The memo of a mutant holds its `generation` (-1 before the first) and its `edits`; with a guide also that of
        `proposals.Guidance`.
        """
        taken = self._seen | {suggestion.identity for suggestion in pending}
        underway = [one for one in pending if not is_baseline(one)]

        def proposed(made: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
            place = len(self._trials) - len(self._starts) + len(underway) + len(made)
            generation = max(-1, (place - self._schedule["population"]) // self._schedule["children"])
            parent = self._parent(place, generation, [*underway, *made], rng)
            found = self._mutant(parent, generation, gone, rng) if parent else None
            if found is None and self._design is not None and generation < 0:
                known = [*self._tried, *(one.candidate for one in (*pending, *made))]
                found = self._design.next(known, place, taken=gone, rng=rng, allows=self._known.keeps)
            return found or self._known.random_suggestion(self._space, gone, rng)

        return in_turn(n, taken, proposed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Adds finished trials and starts to the record; other baselines are only remembered."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        self._tried.extend(trial.candidate for trial in trials)
        starts = [trial for trial in trials if is_start(trial, self._space)]
        self._starts.extend(starts)
        counted = [trial for trial in trials if trial in starts or trial.stage == "search"]
        self._known.learn(counted)
        self._trials.extend(counted)
        self._lessons.extend(counted)
        self._mutants.told(self._lessons)

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Teaches the guide, where there is one, and nothing else."""
        self._lessons.extend(trials)
        self._mutants.told(self._lessons)

    def _parent(
        self, place: int, generation: int, underway: Sequence[Suggestion], rng: np.random.Generator
    ) -> Trial | None:
        """The trial to mutate; None where a suggestion is to be random."""
        if generation < 0:
            return self._starts[-1] if self._starts and place % 2 == 0 else None
        known = self._parent_of(generation, underway)
        return self._winner(rng) if known is None else known

    def _parent_of(self, generation: int, underway: Iterable[Suggestion]) -> Trial | None:
        """The parent that the generation has already, told by its members: no state is kept between asks."""
        recent = (trial.suggestion for trial in self._trials[-2 * self._schedule["children"] :])
        numbers = {one.parents for one in (*recent, *underway) if one.memo.get("generation") == generation}
        return next((trial for trial in self._trials if (trial.number,) in numbers), None)

    def _winner(self, rng: np.random.Generator) -> Trial | None:
        """One of the best of a tournament among the youngest; None where nothing has a value yet."""
        living = self._trials[-self._schedule["population"] :]
        places = rng.permutation(len(living))[: self._schedule["tournament"]]
        entrants = [living[place] for place in places]
        chosen = _complete(entrants) or _complete(living) or _complete(self._trials)[-1:]
        return chosen[int(np.argmin(scalarised(chosen, self._objectives, rng)))] if chosen else None

    def _mutant(
        self, parent: Trial, generation: int, taken: Set[Identity], rng: np.random.Generator
    ) -> Suggestion | None:
        edits = 1 if generation < 0 else self._edits(generation)
        drawn = self._mutants.drawn(parent, self._lessons, taken, rng, edits=edits)
        if drawn is None:
            return None
        mutant, memo = drawn
        memo = Options({**memo, "generation": generation, "edits": edits})
        return Suggestion(mutant, parents=(parent.number,), origin="mutation", memo=memo)

    def _edits(self, generation: int) -> int:
        return mutations_of(
            generation, generations=self._schedule["generations"], most=self._schedule["most_mutations"]
        )


def mutations_of(generation: int, *, generations: int, most: int) -> int:
    """Mutations of a child: `most` in generation 0, then falling in equal steps to one, where they stay.

    >>> [mutations_of(generation, generations=240, most=6) for generation in (0, 1, 48, 49, 239, 500)]
    [6, 5, 5, 4, 1, 1]
    """
    return max(0, generations - generation) * (most - 1) // generations + 1


def _complete(trials: Sequence[Trial]) -> list[Trial]:
    return [trial for trial in trials if trial.state is TrialState.COMPLETE]


def _mistakes(tournament: int, population: int, *, is_guided_twice: bool) -> list[str]:
    mistakes = []
    if tournament > population:
        mistakes.append(f"a tournament is drawn from the population of {population}, but has {tournament} members")
    if is_guided_twice:
        mistakes.append("faithful: true is the published search, which has no guide; leave out one of the two")
    return mistakes
