"""CubicML: a predictor of how fast a training system runs stands in for the system, and a policy searches on it.

Source: Wen et al. 2024, CubicML: automated ML for large ML systems co-design with ML prediction of performance.
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
    LearnedCosts,
    PolicyRounds,
    Rounds,
    Schedule,
    SureFailures,
    count_mistakes,
    fitness,
    guidance_mistakes,
    range_mistakes,
    roofline,
    share_mistakes,
    spread_design,
)
from evaluators import Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import SearchSpace

__all__ = ["CubicML"]

SWEEP = (0.0, 0.25, 0.5, 0.75, 1.0)
"""Shares of the second objective in the reward, one policy each: as many as a round has runs."""


class CubicML:
    """Launches `initial` runs spread over the space, then in each round those that a predictor promises most of.

    A round fits the predictor, trains a policy on it by REINFORCE for `steps` x `batch` looks, and launches its
    `round_size` best that differ in `least_distance` knobs. With a second objective there is a policy for each share of
    it in the reward; what it costs is predicted too. Further objectives count by their bounds alone. In a space of no
    more than `listed` candidates, such as a table, all of them are looked at, and no policy is needed.

    What surely fails is never launched: what the memory of a described cluster cannot hold, and what a forest that has
    seen failures is nearly sure of (`proposals.SureFailures`).

    The paper tells the parts and no constants: predictor, policy, records of earlier jobs, and the best launched for
    real. So 2,000 looks are those of the sampling method that it refers to (Yin et al. 2023), and the rest is ours. It
    begins with earlier jobs; a study here has none, so it begins with a design.

    Options other than those, and that a study resumes as it would have gone on, are as in `predictor_rl`.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        *,
        guide: Predictor | None = None,
        initial: int = 12,
        round_size: int = 5,
        exploration: float = 0.0,
        disagreement: float = 0.0,
        least_distance: int = 2,
        steps: int = 500,
        batch: int = 4,
        learning_rate: float = 0.1,
        entropy: float = 0.01,
        listed: int = 5_000,
    ) -> None:
        """`guide` predicts the first objective, the predictor `roofline` if not given.

        Raises:
            ConfigError: options out of range, or a first objective that a predictor does not know the direction of.
        """
        mistakes = count_mistakes(initial=initial, round_size=round_size, steps=steps, batch=batch)
        mistakes += share_mistakes(exploration=exploration)
        mistakes += range_mistakes(disagreement=disagreement, least_distance=least_distance, entropy=entropy)
        mistakes += range_mistakes(learning_rate=learning_rate, listed=listed) + guidance_mistakes(objectives)
        if mistakes:
            raise ConfigError("the searcher 'cubicml'", mistakes)
        learned = fitness(objectives)
        others = tuple(one for one in objectives if one is not learned)
        self._search = PolicyRounds(
            learned,
            roofline(space) if guide is None else guide,
            _ground(space, others),
            Aims(SWEEP if others else (0.0,), None, (), disagreement, least_distance, SPARE * round_size),
            Schedule(steps, batch, learning_rate, entropy),
            Rounds(
                initial,
                round_size,
                exploration,
                spread_design("spread", space, None),
                SureFailures(space, learned),
                listed=listed,
            ),
        )

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions, with the memo of `proposals.PolicyRounds`; fewer only when the space is exhausted."""
        return self._search.ask(n, rng, pending)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Remembers finished trials; each that ends the first ones, or a round, lets the predictor learn again."""
        self._search.tell(trials)


def _ground(space: SearchSpace, others: tuple[Objective, ...]) -> Ground:
    return LearnedCosts(space, others, lambda: roofline(space)) if others else ClosedForm(space, None, ())
