"""AutoCTR: evolution that ages, guided by a learned ranking of its mutants.

Source: Song et al. 2020, Towards Automated Neural Interaction Discovery for Click-Through Rate
Prediction, and the code released with it.
"""

from __future__ import annotations

from collections.abc import Sequence, Set

import numpy as np

from automl._errors import ConfigError
from automl.proposals import (
    Guidance,
    Identity,
    KnownBounds,
    Mutants,
    absolute_ages,
    count_mistakes,
    design_mistakes,
    fitness,
    guidance_mistakes,
    in_turn,
    is_baseline,
    is_start,
    lambdarank,
    published_ages,
    select_parent,
    share_mistakes,
    spread_design,
    survivors,
)
from evaluators import KNOWN_METRICS, Objective, Suggestion, Trial, TrialState
from predictors import Predictor
from searchspaces import Candidate, FeatureSchema, SearchSpace, did_you_mean

__all__ = ["AutoCTR"]


class AutoCTR:
    """Draws a parent by rank, ranks its unseen mutants with a guide, proposes the best.

    The first `population` suggestions are random, or spread with `design: spread` (see `proposals.Spread`; not in the
    published form). Fitness is the first objective that measures quality.
    Failed trials count, rank last and are never parents. Baselines only count as tried, but for the user's own
    model where it is a point of the space: it joins the population before them, ages like all, and every other
    one of the first suggestions is a mutant of it, so that its neighbourhood and the rest of the space are both
    known when the population is complete.

    Bounds on costs that formulas tell are kept: no mutant that breaks one is looked at, and no random candidate taken
    as long as chance finds another one in 200 draws. Trials that break a bound all the same rank behind those that
    keep all, as parents and in survival.

    Six departures from the release repair what it meant to do: age is counted in trials, not in
    shares of the record, so that its weight does not drift; complexity is what `complexity` names, not
    parameters in the place of FLOPs; the guide may split leaves of three records, so that it guides
    from the start, and a share `exploration` of the mutants is drawn blindly, which keeps the guide's
    training data honest; failed trials count, so that a region that fails is left alone; bounds are kept. And a guide
    that orders no better than chance is not followed (see `proposals.Guidance`). `faithful` takes all
    of them back for comparison: then `complexity` is params, which the release uses from its first update
    on, `exploration` is 0, the guide is LambdaRank as published, no search begins at the user's own model, and
    failed trials are discarded: they are not tried again, but enter neither the population, nor its first
    `population` trials, ages and guide.

    What still differs from the release then: the guide reads the space's encoding, which is equal for equal
    live graphs, where the release keeps genes without effect; mutation goes on until the live graph differs,
    where the release is content with another gene; complexity is parameters from the first trial on, not
    from the first update.

    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        population: int = 20,
        selection_size: int = 10,
        mutants: int = 100,
        weights: tuple[float, float, float] = (0.1, 1.0, 0.1),
        complexity: str = "flops",
        exploration: float = 0.15,
        guide: Predictor | None = None,
        faithful: bool = False,
        schema: FeatureSchema | None = None,
        design: str = "random",
    ) -> None:
        """`weights` are those of loss, age and complexity in survival; `guide` is LambdaRank if not given.

        Raises:
            ConfigError: options out of range, no objective that the guide knows the direction of, an unknown
                metric of complexity, or a guide beside `faithful`, which has its own.
        """
        mistakes = count_mistakes(population=population, selection_size=selection_size, mutants=mutants)
        mistakes += _option_mistakes(exploration, complexity, has_two_guides=faithful and guide is not None)
        mistakes += guidance_mistakes(objectives)
        mistakes += design_mistakes(design)
        if mistakes:
            raise ConfigError("the searcher 'autoctr'", mistakes)
        self._space = space
        self._fitness = fitness(objectives)
        complexity = "params" if faithful else complexity
        self._complexity = Objective(complexity)
        self._population = population
        self._selection_size = selection_size
        self._weights = weights
        self._faithful = faithful
        guide = lambdarank(space, faithful=faithful) if guide is None else guide
        guidance = Guidance(guide, self._fitness.metric, 0.0 if faithful else exploration, watched=not faithful)
        self._bounds = () if faithful else tuple(one for one in objectives if one.bound is not None)
        self._known = KnownBounds(self._bounds, schema)
        self._mutants = Mutants(space, mutants, guidance, self._known.keeps)
        self._trials: list[Trial] = []
        self._lessons: list[Trial] = []
        self._design = None if faithful else spread_design(design, space, schema)
        self._tried: list[Candidate] = []
        self._starts: list[Trial] = []
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        The memo of a mutant is that of `proposals.Guidance`.
        """
        taken = self._seen | {suggestion.identity for suggestion in pending}
        parents = self._parents()
        underway = sum(not is_baseline(suggestion) for suggestion in pending)

        def proposed(made: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
            place = len(self._trials) - len(self._starts) + underway + len(made)
            chosen = parents if place >= self._population else self._starts if place % 2 == 0 else []
            found = self._mutant(chosen, gone, rng) if chosen else None
            if found is None and self._design is not None and place < self._population:
                known = [*self._tried, *(one.candidate for one in (*pending, *made))]
                found = self._design.next(known, place, taken=gone, rng=rng, allows=self._known.keeps)
            return found or self._known.random_suggestion(self._space, gone, rng)

        return in_turn(n, taken, proposed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Adds finished trials and starts to the record; other baselines and discarded failures are only remembered."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        self._tried.extend(trial.candidate for trial in trials)
        starts = [trial for trial in self._complete(trials) if not self._faithful and is_start(trial, self._space)]
        self._starts.extend(starts)
        counted = [trial for trial in trials if trial in starts or self._is_counted(trial)]
        self._known.learn(counted)
        self._trials.extend(counted)
        self._lessons.extend(counted)
        self._mutants.told(self._lessons)

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Teaches the guide, and nothing else; the published one learned from full trainings."""
        if not self._faithful:
            self._lessons.extend(trials)
            self._mutants.told(self._lessons)

    def _is_counted(self, trial: Trial) -> bool:
        return trial.stage == "search" and not (self._faithful and trial.state is TrialState.FAIL)

    def _parents(self) -> list[Trial]:
        told = len(self._trials)
        ages = published_ages(told, self._population) if self._faithful else absolute_ages(told)
        living = survivors(
            self._trials,
            ages,
            objectives=(self._fitness, self._complexity),
            weights=self._weights,
            population=self._population,
            bounds=self._bounds,
        )
        return self._complete(living) or self._complete(self._trials)[-self._population :]

    def _complete(self, trials: Sequence[Trial]) -> list[Trial]:
        return [
            trial
            for trial in trials
            if trial.state is TrialState.COMPLETE and trial.value(self._fitness.metric) is not None
        ]

    def _mutant(self, parents: Sequence[Trial], taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        parent = select_parent(parents, self._fitness, self._selection_size, rng, bounds=self._bounds)
        drawn = self._mutants.drawn(parent, self._lessons, taken, rng)
        if drawn is None:
            return None
        mutant, memo = drawn
        return Suggestion(mutant, parents=(parent.number,), origin="mutation", memo=memo)


def _option_mistakes(exploration: float, complexity: str, *, has_two_guides: bool) -> list[str]:
    mistakes = share_mistakes(exploration=exploration)
    if complexity not in KNOWN_METRICS:
        way_out = did_you_mean(complexity, tuple(KNOWN_METRICS))
        mistakes.append(f"complexity must be a known metric, but is {complexity!r}; {way_out}")
    if has_two_guides:
        mistakes.append("faithful: true guides as published, but a guide was given too; leave out one of the two")
    return mistakes
