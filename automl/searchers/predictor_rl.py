"""Predictor and policy: samples the candidates that a predictor promises most of, learned without any training.

Source: Yin et al. 2023, AutoML for Large Capacity Modeling of Meta's Ranking Systems; Wen et al. 2023, Rankitect:
Ranking Architecture Search Battling World-class Engineers at Meta Scale (the sampling method there).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import replace

import numpy as np

from automl._errors import ConfigError
from automl.proposals import (
    Aims,
    Foreseen,
    Ground,
    Identity,
    Plan,
    Planner,
    Policy,
    Promise,
    Schedule,
    cost_objectives,
    count_mistakes,
    cross_validated_trust,
    design_mistakes,
    fitness,
    guidance_mistakes,
    in_turn,
    is_start,
    lambdarank,
    random_suggestion,
    share_mistakes,
    spread_design,
)
from evaluators import Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import Candidate, FeatureSchema, Options, SearchSpace, Value

__all__ = ["PredictorRL"]

SWEEP = (0.0, 0.1, 0.3, 0.5)
"""Shares of cost in the reward, one policy each."""

SPARE = 2
"""Proposals that each policy keeps for one that a round needs: some may be asked by others meanwhile."""


class PredictorRL:
    """Fits the guide, trains a policy on it by REINFORCE, proposes the best and most different of what it drew.

    The first `initial` suggestions are random, or spread with `design: spread` (see `proposals.Spread`). From then on
    the guide is fitted once a round of `round_size` told trials, and a policy is trained for each of `alphas`: the
    reward is -(1 - alpha) * NE - alpha * FLOPs, NE predicted, FLOPs known (the first of the objectives that is known in
    closed form, else FLOPs), both standardised. Their best candidates take turns, those first that differ in
    `least_distance` decisions from the better ones of their policy. A share `exploration` of the suggestions is random,
    which keeps the guide honest; all of a round are where the guide's cross-validated rank correlation is below 0.1
    with 90 %.

    `roi` takes the place of the sweep: quality alone counts, but each doubling of cost beyond the study's controls
    must bring that many standard deviations of it. Bounds of known costs hold in any case. `disagreement`
    standard deviations of the guide count as loss, so that the policy cannot live on the guide's mistakes.

    Where no cost is known (no schema) or none is an objective, quality alone counts.

    Two departures from the papers: their policy takes about 2,000 steps, where this one takes fewer, larger ones, as
    to ask the predictor and the cost formulas takes milliseconds a candidate; and they start with records of earlier
    studies, where this searcher starts with none but the user's own model.

    On a ladder the guide learns from cheap rungs too, and a candidate counts from its first rung on.

    Guide and policies follow from the record up to the round's first trial alone, so that a resumed study gets the
    same ones. Trials that failed count as worst; human-made baselines only count as tried.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        schema: FeatureSchema | None = None,
        controls: Sequence[Candidate] = (),
        guide: Predictor | None = None,
        initial: int = 20,
        round_size: int = 10,
        alphas: Sequence[float] | None = None,
        roi: float | None = None,
        exploration: float = 0.15,
        disagreement: float = 1.0,
        least_distance: int = 2,
        steps: int = 200,
        batch: int = 4,
        learning_rate: float = 0.1,
        entropy: float = 0.01,
        design: str = "random",
    ) -> None:
        """`alphas` are (0, 0.1, 0.3, 0.5) if not given, `guide` is LambdaRank.

        Raises:
            ConfigError: options out of range, both `alphas` and `roi`, or no objective that the guide knows the
                direction of.
        """
        mistakes = count_mistakes(initial=initial, round_size=round_size, steps=steps, batch=batch)
        mistakes += share_mistakes(exploration=exploration) + design_mistakes(design)
        mistakes += _range_mistakes(
            {"disagreement": disagreement, "least_distance": least_distance, "entropy": entropy}
        )
        mistakes += _reward_mistakes(alphas, roi, learning_rate)
        mistakes += guidance_mistakes(objectives)
        if mistakes:
            raise ConfigError("the searcher 'predictor_rl'", mistakes)
        self._fitness = fitness(objectives)
        costs = _costs(objectives, schema, is_asked=alphas is not None or roi is not None)
        self._ground = Ground(space, schema, tuple(costs))
        self._aims = Aims(
            alphas=tuple(alphas or SWEEP) if costs and roi is None else (0.0,),
            roi=roi if costs else None,
            controls=tuple(controls),
            disagreement=disagreement,
            least_distance=least_distance,
            kept=SPARE * round_size,
        )
        self._guide = lambdarank(space) if guide is None else guide
        self._initial, self._round_size, self._exploration = initial, round_size, exploration
        self._schedule = Schedule(steps, batch, learning_rate, entropy)
        self._design = spread_design(design, space, schema)
        self._told: list[Trial] = []
        self._searched = 0
        self._below: set[str] = set()
        self._cut = 0
        self._planned: Plan | None = None
        self._planned_at = 0

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        The memo holds what the guide has `predicted` (comparable within one round alone), its `spread`, the `alpha`
        whose policy found the candidate, whether it was `explored` blindly, and the guide's rank correlation `tau`,
        cross-validated at the beginning of the round, with its upper 90 % bound `tau_upper`, and whether it was
        followed: `guided`.
        """
        taken = {trial.suggestion.identity for trial in self._told} | {one.identity for one in pending}

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
        self._searched += counts
        beyond = self._searched - self._initial
        if counts and beyond >= 0 and beyond % self._round_size == 0:
            self._cut = len(self._told)

    def _start(
        self, underway: Sequence[Suggestion], taken: Set[Identity], rng: np.random.Generator
    ) -> Suggestion | None:
        if self._design is None:
            return None
        known = [*(trial.candidate for trial in self._told), *(one.candidate for one in underway)]
        return self._design.next(known, self._searched + len(underway), taken=taken, rng=rng)

    def _guided(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        plan = self._current()
        if rng.random() < self._exploration:
            return None
        promises = (one for one in plan.promises if Suggestion(one.candidate).identity not in taken)
        promise = next(promises, None)
        if promise is None:
            return None
        memo = _memo(plan, promise.predicted, promise.spread, explored=False)
        memo |= {"alpha": promise.alpha, "reward": promise.reward}
        return Suggestion(promise.candidate, origin="policy", memo=Options(memo))

    def _random(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        suggestion = random_suggestion(self._ground.space, taken, rng)
        if suggestion is None or not self._cut:
            return suggestion
        plan = self._current()
        predicted = self._guide.predict([suggestion])
        memo = _memo(plan, float(predicted.mean[0]), float(predicted.std[0]), explored=True)
        return replace(suggestion, memo=Options(memo))

    def _current(self) -> Plan:
        """The round's plan, and the guide as it was fitted for it: a function of the record up to the cut alone."""
        if self._planned is None or self._planned_at != self._cut:
            record = self._told[: self._cut]
            known = [one for one in record if one.stage == "search" or is_start(one, self._ground.space)]
            trust = cross_validated_trust(self._guide, known, self._fitness, np.random.default_rng([len(known), 2]))
            self._guide.fit(known, self._fitness.metric, rng=np.random.default_rng(len(known)))
            is_followed = trust is None or trust.is_earned
            taken = {trial.suggestion.identity for trial in record}
            self._planned = Plan(self._promises(taken, len(known)) if is_followed else (), trust)
            self._planned_at = self._cut
        return self._planned

    def _promises(self, taken: Set[Identity], known: int) -> tuple[Promise, ...]:
        foreseen = Foreseen(self._ground, Policy.uniform(self._ground.space.decisions()), self._guide)
        planner = Planner(self._aims, self._schedule, foreseen, taken)
        return planner.promises(np.random.default_rng([known, 1]))


def _memo(plan: Plan, predicted: float, spread: float, *, explored: bool) -> dict[str, Value]:
    memo: dict[str, Value] = {"predicted": predicted, "spread": spread, "explored": explored}
    return memo | (plan.trust.memo() if plan.trust else {})


def _costs(objectives: Sequence[Objective], schema: FeatureSchema | None, *, is_asked: bool) -> list[Objective]:
    if schema is None:
        return []
    return cost_objectives(objectives) or ([Objective("flops")] if is_asked else [])


def _range_mistakes(options: Mapping[str, float]) -> list[str]:
    return [f"{name} must be zero or more, but is {value}" for name, value in options.items() if not value >= 0]


def _reward_mistakes(alphas: Sequence[float] | None, roi: float | None, learning_rate: float) -> list[str]:
    mistakes = []
    if alphas is not None and (not alphas or not all(0 <= alpha <= 1 for alpha in alphas)):
        mistakes.append(f"alphas are shares between 0 and 1, at least one, but are {list(alphas)}")
    if alphas is not None and roi is not None:
        mistakes.append("alphas sweep the price of cost and roi fixes it, but both are given; leave out one of the two")
    if roi is not None and not roi >= 0:
        mistakes.append(f"roi must be zero or more, but is {roi}")
    if not learning_rate > 0:
        mistakes.append(f"learning_rate must be more than zero, but is {learning_rate}")
    return mistakes
