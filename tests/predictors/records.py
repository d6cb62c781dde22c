"""Records of bit strings that tests of predictors share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluators import Suggestion, Trial
from predictors import Predictor, rank_correlation
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings, finished, loss

SPACE = Bitstrings()


def sampled(count: int, seed: int = 0) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def trials(count: int, seed: int = 0) -> list[Trial]:
    return [finished(number, Suggestion(candidate)) for number, candidate in enumerate(sampled(count, seed))]


HELD_OUT = [Suggestion(candidate) for candidate in sampled(60, seed=1)]


def agreement(predictor: Predictor, record: Sequence[Trial]) -> float:
    """Rank correlation of predicted and true losses of candidates that the record does not have."""
    mean = predictor.fit(record, "ne", rng=np.random.default_rng(0)).predict(HELD_OUT).mean
    return rank_correlation(mean, [loss(one.candidate) for one in HELD_OUT])
