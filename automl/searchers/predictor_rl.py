"""Predictor and policy: samples the candidates that a predictor promises most of, learned without any training.

Source: Yin et al. 2023, AutoML for Large Capacity Modeling of Meta's Ranking Systems; Wen et al. 2023, Rankitect:
Ranking Architecture Search Battling World-class Engineers at Meta Scale (the sampling method there).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from automl._errors import ConfigError
from automl.proposals import (
    SPARE,
    Aims,
    ClosedForm,
    Ground,
    KnownAndLearned,
    KnownBounds,
    PolicyRounds,
    Rounds,
    Schedule,
    cost_model,
    count_mistakes,
    design_mistakes,
    fitness,
    guidance_mistakes,
    lambdarank,
    range_mistakes,
    share_mistakes,
    spread_design,
)
from evaluators import Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import Candidate, FeatureSchema, SearchSpace

__all__ = ["PredictorRL"]

SWEEP = (0.0, 0.1, 0.3, 0.5)
"""Shares of cost in the reward, one policy each."""


class PredictorRL:
    """Fits the guide, trains a policy on it by REINFORCE, proposes the best and most different of what it drew.

    The first `initial` suggestions are random, or spread with `design: spread` (see `proposals.Spread`). From then on
    the guide is fitted once a round of `round_size` told trials, and a policy is trained for each of `alphas`: the
    reward is -(1 - alpha) * NE - alpha * FLOPs, NE predicted, FLOPs known, both standardised. In the place of FLOPs is
    the first of the further objectives that is known in closed form, or else the first one, such as QPS; those that no
    formula tells, or that are measured otherwise, are learned once a round, on their logarithms. The policies' best
    candidates take turns, those first that differ in `least_distance` decisions from the better ones of their policy. A
    share `exploration` of the suggestions is random, which keeps the guide honest; all of a round are where the guide's
    cross-validated rank correlation is below 0.1 with 90 %.

    `roi` takes the place of the sweep: quality alone counts, but each doubling of cost beyond the study's controls
    must bring that many standard deviations of it. Bounds hold in any case: those on known costs for all that is
    proposed, those on learned ones for what policies draw. `disagreement` standard deviations of the guide count as
    loss, so that the policy cannot live on the guide's mistakes.

    Where quality is the only objective, it alone counts; but `alphas` and `roi` take FLOPs, where a schema tells them.

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
        mistakes += range_mistakes(disagreement=disagreement, least_distance=least_distance, entropy=entropy)
        mistakes += _reward_mistakes(alphas, roi, learning_rate)
        mistakes += guidance_mistakes(objectives)
        if mistakes:
            raise ConfigError("the searcher 'predictor_rl'", mistakes)
        learned = fitness(objectives)
        ground = _ground(space, objectives, schema, is_priced=alphas is not None or roi is not None)
        aims = Aims(
            alphas=tuple(alphas or SWEEP) if ground.costs and roi is None else (0.0,),
            roi=roi if ground.costs else None,
            controls=tuple(controls),
            disagreement=disagreement,
            least_distance=least_distance,
            kept=SPARE * round_size,
        )
        self._search = PolicyRounds(
            learned,
            lambdarank(space) if guide is None else guide,
            ground,
            aims,
            Schedule(steps, batch, learning_rate, entropy),
            Rounds(
                initial,
                round_size,
                exploration,
                spread_design(design, space, schema),
                bounds=KnownBounds(objectives, schema),
            ),
        )

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions, with the memo of `proposals.PolicyRounds`; fewer only when the space is exhausted."""
        return self._search.ask(n, rng, pending)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remembers finished trials; each that ends the first ones, or a round, lets the guide learn again."""
        self._search.tell(trials)

    def tell_of_rungs(self, trials: Sequence[Trial]) -> None:
        """Remembers trials of cheap rungs; those of new candidates count as the others do."""
        self._search.tell_of_rungs(trials)


def _ground(
    space: SearchSpace, objectives: Sequence[Objective], schema: FeatureSchema | None, *, is_priced: bool
) -> Ground:
    """All objectives but quality are costs; a price that is asked for without one is that of FLOPs."""
    quality = fitness(objectives)
    further = [one for one in objectives if one is not quality]
    if further:
        return KnownAndLearned(space, schema, further, lambda: cost_model(space, schema))
    return ClosedForm(space, schema, (Objective("flops"),) if schema is not None and is_priced else ())


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
