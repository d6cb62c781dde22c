"""WL-EHVI: a model that sees graphs, exact expected hypervolume improvement, and neighbours of the best to choose from.

Sources: Ru et al. 2021, Interpretable Neural Architecture Search via Bayesian Optimisation with Weisfeiler-Lehman
Kernels (the model); Emmerich, Deutz and Klinkenberg 2011, Hypervolume-based expected improvement (the criterion);
White, Neiswanger and Savani 2021, BANANAS (neighbours of the best as the pool).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from automl._errors import ConfigError
from automl.proposals import (
    Declared,
    Ending,
    Identity,
    Losses,
    LossModel,
    Probes,
    Proposal,
    SmallSpace,
    Trust,
    Watch,
    count_mistakes,
    declare,
    design_mistakes,
    expected_hypervolume_improvement,
    expected_improvement,
    guidance_mistakes,
    in_turn,
    is_baseline,
    is_start,
    propose_pool,
    range_mistakes,
    sample_unseen,
    scaled_loss,
    share_mistakes,
    spread_design,
    undominated,
    unseen_mutant,
    why_outside,
)
from evaluators import Evaluator, Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import Candidate, FeatureSchema, Options, SearchSpace, Value

__all__ = ["WLEHVI"]

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

FEWEST_MEASURED = 4
"""Complete trials below which a model says nothing and candidates are random."""
TOP = 8
"""Best candidates by expected quality that are parents beside the front."""
BAD_END = 0.9
"""Quantile of the first losses of quality that bounds the hypervolume: what is worse is of no interest."""
MARGIN = 0.1
"""Of the range of the first costs, beyond the largest: the best quality may cost more."""
DRAWS = 200
"""Of random candidates in a row that no bound allows, before neighbours of those that keep it are tried."""


class WLEHVI:
    """Proposes what adds most to the front in expectation, judged by a model of all trials told so far.

    The first `initial` suggestions are spread over the space, away from each other and from human-made baselines (see
    `proposals.Spread`), or random with `design: random`; every other one is a mutant of the user's own model, where
    that is a point of the space. Then a pool of mutants of the expected front and of the best, crossovers and random
    candidates is judged, or all that are left of a space of no more than `listed`. Most suggestions are the best by
    expected hypervolume improvement, with deviations `exploration` times as large as they are, since a single step that
    looks no further than itself explores too much of a front; a share `quality_share` by expected improvement of the
    quality alone, and a share `doubt_share` is the least certain one of those expected on the front. With one objective
    the first two are the same, with whole deviations. As long as the guide's cross-validated rank correlation is below
    0.1 with 90 %, chance takes one of the pool instead.

    Each criterion is multiplied by the chance that the candidate does not fail, where the guide tells that apart.

    Costs that formulas tell beforehand (FLOPs, MACs, parameters, bytes of tables) are exact and bounds on them are
    never broken; other costs are learned. What is pending, or chosen before in the same ask, counts as measured at
    its expected losses. Human-made baselines inform the model, and are parents where they are points of the space.

    The last `replicate_share` of the budget (in trials, seconds or rows, what is reached first) goes on training the
    likely best again, with other seeds, unless the evaluator says that it has no noise, or gives the same number again;
    the winner is declared by the posterior mean.

    With a `probe`, an evaluator that takes moments and whose metrics repeat (`zero_cost`), the `probed` best of each
    pool are scored by it, and what the scores tell that the guide does not know is added to their expected quality. Its
    weight is found in the trials told so far and has to be earned (see `proposals.Probes`); what it trains on is not
    in the account.

    On a ladder the model learns from cheap rungs too, and a candidate counts as one of the first from its lowest rung
    on.

    The model is fitted once per told record, with seeds that depend on the record's length alone, so that a resumed
    study gets the same one.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        schema: FeatureSchema | None = None,
        budget_trials: int | None = None,
        budget_seconds: float | None = None,
        budget_rows: int | None = None,
        *,
        guide: Predictor | None = None,
        initial: int = 20,
        pool: int = 200,
        quality_share: float = 0.15,
        doubt_share: float = 0.0,
        replicate_share: float = 0.1,
        design: str = "spread",
        neighbours: bool = True,
        listed: int = 1000,
        exploration: float = 0.2,
        probe: Evaluator | None = None,
        probed: int = 32,
    ) -> None:
        """`guide` is `wl_gp` if not given; a study injects schema and budget; without `neighbours` the pool is random.

        Raises:
            ConfigError: options out of range, or no objective whose direction the guide knows.
        """
        shares = {"quality_share": quality_share, "doubt_share": doubt_share, "replicate_share": replicate_share}
        mistakes = count_mistakes(initial=initial, pool=pool, probed=probed) + range_mistakes(
            listed=listed, exploration=exploration
        )
        mistakes += share_mistakes(**shares) + guidance_mistakes(objectives)
        mistakes += design_mistakes(design)
        if mistakes:
            raise ConfigError("the searcher 'wl_ehvi'", mistakes)
        self._space = space
        self._guide = guide or _wl_gp(space, schema)
        self._model = LossModel(space, schema, objectives, self._guide)
        self._watch = Watch(self._guide, replace(self._model.objectives[0], bound=None))
        self._trust: Trust | None = None
        quality = replace(self._model.objectives[0], bound=None)
        self._probes = Probes(probe, self._guide, quality, most=probed) if probe else None
        self._ending = Ending(replicate_share, budget_trials, budget_seconds, budget_rows)
        self._initial = initial
        self._design = spread_design(design, space, schema)
        self._pool = pool
        self._has_neighbours = neighbours
        self._small = SmallSpace(space, listed if neighbours else 0)
        self._shares = (quality_share, doubt_share)
        self._exploration = exploration
        self._trials: list[Trial] = []
        self._lessons: list[Trial] = []
        self._below: set[str] = set()
        self._seen: set[Identity] = set()
        self._inside: list[Trial] = []
        self._starts: list[Trial] = []
        self._fitted_to = -1
        self._declared: list[Declared] = []

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space, or what its bounds leave of it, is exhausted.

        The memo of a judged one holds what is `predicted` (see `proposals.prediction_memo`), and by what it was chosen;
        once the guide has been looked at, also its rank correlation `tau`, the upper bound `tau_upper`, and whether it
        was followed: `guided`.
        """
        taken = self._seen | {suggestion.identity for suggestion in pending}
        underway = [one for one in pending if not is_baseline(one)]
        searched = sum(trial.stage == "search" for trial in self._trials)
        stopped = len(self._below - {trial.candidate.fingerprint for trial in self._trials})
        choice: _Choice | None = None

        def proposed(made: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
            nonlocal choice
            suggestion = None
            place = searched + len(underway) + len(made)
            if self._ending.has_begun(len(underway) + len(made)):
                suggestion = self._replicate(gone)
            if suggestion is None and place + stopped < self._initial:
                suggestion = self._start([*pending, *made], gone, place + stopped, rng)
            if suggestion is None and place + stopped >= self._initial and len(self._known()) >= FEWEST_MEASURED:
                choice = choice or self._choice([*underway, *made], gone, rng)
                suggestion = choice.next(rng)
            return suggestion or self._random(gone, rng) or self._neighbour(gone, rng)

        return in_turn(n, taken, proposed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Adds trials of the search and human-made baselines to the record; others are only remembered as tried."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        self._ending.tell(trials)
        kept = [trial for trial in trials if trial.stage == "search" or is_baseline(trial.suggestion)]
        self._trials.extend(kept)
        self._lessons.extend(kept)
        self._starts.extend(trial for trial in kept if is_start(trial, self._space))
        self._inside.extend(
            trial for trial in kept if trial.stage == "search" or not why_outside(self._space, trial.candidate)
        )
        self._look()

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Teaches the model; what they measured is never on a front, but uses the budget."""
        self._ending.tell(trials)
        self._lessons.extend(trials)
        self._below.update(trial.candidate.fingerprint for trial in trials)
        self._look()

    def declared(self) -> list[Trial]:
        """By the posterior mean of the quality, within all bounds; empty with few trials or a guide of no use."""
        if len(self._known()) < FEWEST_MEASURED or (self._trust is not None and not self._trust.is_earned):
            return []
        found = declare(self._trials, self._model.objectives, self._guide)
        return [one.trial for one in found if one.trial.stage == "search"]

    def _known(self) -> list[Declared]:
        """What was measured, within bounds or not, as the model sees it now."""
        if self._fitted_to != len(self._lessons):
            self._model.fit(self._lessons)
            unbounded = [replace(one, bound=None) for one in self._model.objectives]
            self._declared = declare(self._trials, unbounded, self._guide)
            self._fitted_to = len(self._lessons)
        return self._declared

    def _look(self) -> None:
        """Looks at guide and scores; here rather than in an ask, which somebody waits for."""
        self._trust = self._watch.look(self._lessons)
        if self._probes is not None:
            self._probes.learn(self._lessons)

    def _choice(self, underway: Sequence[Suggestion], taken: Set[Identity], rng: np.random.Generator) -> _Choice:
        caps = self._caps()
        able = [one for one in self._known() if (np.array(one.losses) <= caps).all()]
        inside = {trial.number for trial in self._inside}
        parents = {one.trial.number: one.trial for one in _leading(able or self._known())}
        used = [trial for number, trial in parents.items() if self._has_neighbours and number in inside]
        pool = self._small.pool(taken) or propose_pool(self._space, used, self._pool, taken=taken, rng=rng)
        pool = [one for one in pool if self._model.is_affordable(one.candidate)]
        pending = self._model.predict([one.candidate for one in underway if one.replicate == 0])
        front = np.array([one.losses for one in able]).reshape(-1, len(caps))
        losses = self._model.predict([one.candidate for one in pool])
        return _Choice(
            pool,
            losses,
            np.concatenate([front, pending.mean]),
            reference=self._reference(),
            caps=caps,
            shares=self._shares,
            exploration=self._exploration if len(caps) > 1 else 1.0,
            trust=self._trust,
            told=self._model.memo,
            probes=self._probes,
        )

    def _reference(self) -> Vector:
        """The corner of the hypervolume: bounds, or else what the first trials are expected to be.

        In the unit of the guide, since one that learns ranks has no other.
        """
        first = sorted(self._known(), key=lambda one: one.trial.number)[: self._initial]
        losses = np.array([one.losses for one in first])
        corner: Vector = losses.max(axis=0) + MARGIN * np.ptp(losses, axis=0)
        corner[0] = np.quantile(losses[:, 0], BAD_END)
        for at, objective in enumerate(self._model.objectives):
            if objective.bound is not None:
                bound = objective.bound
                corner[at] = scaled_loss(objective, bound) if at else objective.loss(bound)
        return corner

    def _caps(self) -> Vector:
        """The bound on each cost, infinite where there is none; quality is bounded by the reference alone."""
        caps = [np.inf if one.bound is None else scaled_loss(one, one.bound) for one in self._model.objectives]
        return np.array([np.inf, *caps[1:]])

    def _start(
        self, underway: Sequence[Suggestion], taken: Set[Identity], place: int, rng: np.random.Generator
    ) -> Suggestion | None:
        found = self._mutant(taken, rng) if self._starts and place % 2 == 0 else None
        if found is not None or self._design is None:
            return found
        known = [*(trial.candidate for trial in self._lessons), *(one.candidate for one in underway)]
        return self._design.next(known, place, taken=taken, rng=rng, allows=self._model.is_affordable)

    def _mutant(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        """A neighbour of the user's own model."""
        start = self._starts[-1]
        mutant = unseen_mutant(self._space, start.candidate, taken, rng)
        if mutant is None or not self._model.is_affordable(mutant):
            return None
        return Suggestion(mutant, parents=(start.number,), origin="mutation")

    def _random(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        for _ in range(DRAWS):
            candidate = sample_unseen(self._space, taken, rng)
            if candidate is None:
                return None
            if self._model.is_affordable(candidate):
                return Suggestion(candidate, origin="random")
        return None

    def _neighbour(self, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        """Next to what keeps the bounds, where chance finds nothing that does."""
        parents = [trial for trial in self._inside if self._model.is_affordable(trial.candidate)]
        pool = propose_pool(self._space, parents, self._pool, taken=taken, rng=rng)
        return next((one.suggestion() for one in pool if self._model.is_affordable(one.candidate)), None)

    def _replicate(self, taken: Set[Identity]) -> Suggestion | None:
        """Another training of the one with fewest among those that are likely to win; None without noise."""
        caps = self._caps()
        known = [one for one in self._known() if one.trial.stage == "search" and (np.array(one.losses) <= caps).all()]
        if not known or _has_no_noise(self._trials, self._model.objectives[0].metric):
            return None
        finalists = [*known[: max(1, self._ending.length() // 2)], *undominated(known)]
        trainings = [_trainings(one.trial.candidate, taken) for one in finalists]
        at = int(np.argmin(trainings))
        chosen = finalists[at].trial
        memo = Options(self._model.memo(self._model.predict([chosen.candidate]), 0))
        parents = (chosen.number,)
        return Suggestion(chosen.candidate, replicate=trainings[at], parents=parents, origin="replicate", memo=memo)


class _Choice:
    """A judged pool, from which one suggestion after another is taken; each then counts as on the front."""

    def __init__(
        self,
        pool: Sequence[Proposal],
        losses: Losses,
        front: Matrix,
        *,
        reference: Vector,
        caps: Vector,
        shares: tuple[float, float],
        exploration: float,
        trust: Trust | None,
        told: Callable[[Losses, int], Mapping[str, Value]],
        probes: Probes | None = None,
    ) -> None:
        self._pool = pool
        self._losses = losses
        self._front = front
        self._reference = reference
        self._caps = caps
        self._quality_share, self._doubt_share = shares
        self._exploration = exploration
        self._trust = trust
        self._told = told
        self._probes = probes
        self._shift = np.full(len(pool), np.nan)
        self._is_free = np.ones(len(pool), dtype=bool)

    def next(self, rng: np.random.Generator) -> Suggestion | None:
        """The best one left by a criterion that chance decides; None where the pool is empty."""
        drawn = rng.random()
        if not self._is_free.any():
            return None
        is_blind = self._trust is not None and not self._trust.is_earned
        chosen_by, values = ("chance", rng.random(len(self._pool))) if is_blind else self._hoped(drawn)
        if not is_blind and self._probe(self._order(values)):
            chosen_by, values = self._hoped(drawn)
        at = int(self._order(values)[0])
        self._is_free[at] = False
        self._front = np.vstack([self._front, self._losses.mean[at]])
        trusted = self._trust.memo() if self._trust else {}
        memo = {**self._told(self._losses, at), "chosen_by": chosen_by, **trusted, **self._probe_memo(at)}
        return replace(self._pool[at].suggestion(), memo=Options(memo))

    def _order(self, values: Vector) -> NDArray[np.intp]:
        """The pool, best first; where all values are zero by what may be hoped for."""
        hopes = self._losses.mean[:, 0] - self._losses.std[:, 0]
        return np.lexsort((hopes, -values, ~self._is_free))

    def _probe(self, order: NDArray[np.intp]) -> bool:
        """Adds to the expected quality of the best what their quick scores tell; whether there was anything."""
        if self._probes is None or not self._probes.is_earned:
            return False
        best = order[: self._probes.most]
        fresh = best[np.isnan(self._shift[best]) & self._is_free[best]]
        self._shift[fresh] = self._probes.shift([self._pool[at].candidate for at in fresh])
        self._losses.mean[fresh, 0] += self._shift[fresh]
        return len(fresh) > 0

    def _probe_memo(self, at: int) -> dict[str, Value]:
        told = {} if self._probes is None else self._probes.memo()
        return told if np.isnan(self._shift[at]) else {**told, "shift": float(self._shift[at])}

    def _hoped(self, drawn: float) -> tuple[str, Vector]:
        """By what the next one is chosen, and that of each times the chance that it does not fail."""
        chosen_by, values = self._values(drawn)
        return chosen_by, values if self._losses.failing is None else values * (1.0 - self._losses.failing)

    def _values(self, drawn: float) -> tuple[str, Vector]:
        mean, std = self._losses.mean, self._losses.std
        if drawn < self._doubt_share:
            beaten = np.zeros(len(mean), dtype=bool)
            for point in self._front:
                beaten |= np.all(point <= mean, axis=1)
            if not beaten.all():
                return "doubt", np.where(beaten, 0.0, std[:, 0] * self._chance())
        elif drawn < self._doubt_share + self._quality_share:
            best = float(self._front[:, 0].min(initial=self._reference[0]))
            return "quality", expected_improvement(mean[:, 0], std[:, 0], best) * self._chance()
        return "hypervolume", expected_hypervolume_improvement(
            self._front, self._reference, mean, self._exploration * std
        )

    def _chance(self) -> Vector:
        """That all bounds on costs are kept, `[n]`."""
        from scipy.special import ndtr

        mean, std = self._losses.mean[:, 1:], self._losses.std[:, 1:]
        room = self._caps[1:] - mean
        chances = np.where(std > 0, ndtr(room / np.where(std > 0, std, 1.0)), (room >= 0).astype(float))
        found: Vector = chances.prod(axis=1)
        return found


def _leading(known: Sequence[Declared]) -> list[Declared]:
    return [*undominated(known), *known[:TOP]]


def _trainings(candidate: Candidate, taken: Set[Identity]) -> int:
    """The first replicate that has not been asked for."""
    used = [replicate for fingerprint, rung, replicate in taken if fingerprint == candidate.fingerprint and rung == 0]
    return 1 + max(used, default=-1)


def _has_no_noise(trials: Sequence[Trial], metric: str) -> bool:
    """Whether the evaluator says of every trial that its error is zero, or gave one number twice for a candidate."""
    measured = [trial for trial in trials if trial.evaluation and trial.value(metric)]
    values = [(trial.candidate.fingerprint, trial.value(metric)) for trial in measured]
    if len(set(values)) < len(values):
        return True
    return all(trial.evaluation is not None and trial.evaluation.metrics[metric].stderr == 0 for trial in measured)


def _wl_gp(space: SearchSpace, schema: FeatureSchema | None) -> Predictor:
    # Imported here: scipy takes a while to load, and another guide does without it.
    from predictors.wl_gp import WLGP

    return WLGP(space, schema)
