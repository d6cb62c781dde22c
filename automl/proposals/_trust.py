"""How far a guide can be trusted: its cross-validated rank correlation on the trials of a study, with a bound.

Letters: n trials, s the mean agreement of one trial with the others of its fold, +1 where a pair is in the right order
and -1 where it is not. Kendall's tau is the mean of s over pairs; as a U-statistic its variance is about 4 var(s) / n
(Hoeffding 1948, A class of statistics with asymptotically normal distribution).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Trial
from predictors import CrossValidated, Predictor, loss_ranks
from searchspaces import Value

Vector = NDArray[np.float64]

FOLDS = 5
FEWEST = 20
"""With fewer trials nothing is told: the pairs of a small fold can all be wrong by chance, which leaves no spread."""

NORMAL_90 = 1.2815515655446004
"""Of the standard normal distribution, 90 % lies below."""

LEAST_TRUST = 0.1
"""A guide whose upper bound lies below is not followed."""

EVERY = 20
"""Trials between two looks at a guide."""
MOST = 100
"""Trials of a look, evenly from the whole record: the latest ones alone are alike, and no guide tells them apart."""


@dataclass(frozen=True)
class Trust:
    """Kendall's tau out of fold, and the number that it lies below with 90 %."""

    tau: float
    upper: float

    @property
    def is_earned(self) -> bool:
        """Whether the guide may still be any good: it is followed unless that is unlikely."""
        return self.upper >= LEAST_TRUST

    def memo(self) -> dict[str, Value]:
        """What a suggestion tells of it: `tau`, its upper bound `tau_upper`, and whether the guide was followed."""
        return {"tau": self.tau, "tau_upper": self.upper, "guided": self.is_earned}


@dataclass(eq=False)
class Watch:
    """Looks after every `EVERY` trials how far a guide can be trusted, by the trials until then alone.

    So the answer follows from the record, and a resumed study gets the same one. To look takes several fits, so a
    searcher does it when it is told, and an ask finds it done.
    """

    guide: Predictor
    objective: Objective
    _seen: tuple[int, Trust | None] = field(default=(0, None), init=False, repr=False)

    def look(self, record: Sequence[Trial]) -> Trust | None:
        """What is known by now; it may leave the guide fitted on a part of the record, so fit it afterwards."""
        until = len(record) // EVERY * EVERY
        if until and until != self._seen[0]:
            step = 1 if isinstance(self.guide, CrossValidated) else -(-until // MOST)
            rng = np.random.default_rng([until, 2])
            self._seen = (until, cross_validated_trust(self.guide, record[:until:step], self.objective, rng))
        return self._seen[1]


def cross_validated_trust(
    guide: Predictor, trials: Sequence[Trial], objective: Objective, rng: np.random.Generator
) -> Trust | None:
    """Fits the guide on four fifths of the candidates at a time, and compares its order of the rest with the truth.

    Pairs are compared within a fold and a rung, as predictions of two fits have no common scale; trials of one
    candidate are in one fold. None with fewer than twenty trials, or where none differ. It leaves the guide fitted on a
    part of them. A guide that cross-validates itself is asked what it has found, and not fitted.
    """
    if len(trials) < FEWEST:
        return None
    if isinstance(guide, CrossValidated):
        found = guide.held_out(trials, objective.metric)
        if sum(len(one.measured) for one in found) < FEWEST:
            return None
        return _trust(np.concatenate([_agreements(one.predicted, one.measured) for one in found]))
    fingerprints = list(dict.fromkeys(trial.candidate.fingerprint for trial in trials))
    fold_of = dict(zip(fingerprints, rng.permutation(len(fingerprints)) % FOLDS, strict=True))
    agreements: list[NDArray[np.float64]] = []
    for fold in range(FOLDS):
        held = [trial for trial in trials if fold_of[trial.candidate.fingerprint] == fold]
        rest = [trial for trial in trials if fold_of[trial.candidate.fingerprint] != fold]
        if held and rest:
            guide.fit(rest, objective.metric, rng=rng)
            predicted = guide.predict([trial.suggestion for trial in held]).mean
            rungs = np.array([trial.suggestion.fidelity.rung for trial in held])
            agreements.append(_agreements(predicted, loss_ranks(held, objective), rungs[:, None] == rungs))
    return _trust(np.concatenate(agreements)) if agreements else None


def _agreements(predicted: Vector, measured: Vector, compare: NDArray[np.bool_] | bool = True) -> NDArray[np.float64]:
    """For each trial the sum of agreements with others, and how many others differ from it: `[n, 2]`.

    Pairs count where they may be compared, `[n, n]`.
    """
    order = np.sign(measured[:, None] - measured) * compare
    agreement = order * np.sign(predicted[:, None] - predicted)
    return np.stack([agreement.sum(axis=1), np.abs(order).sum(axis=1)], axis=1)


def _trust(agreements: NDArray[np.float64]) -> Trust | None:
    sums, pairs = agreements[agreements[:, 1] > 0].T
    if len(sums) < 2:
        return None
    tau = float(sums.sum() / pairs.sum())
    stderr = 2.0 * float((sums / pairs).std(ddof=1)) / math.sqrt(len(sums))
    return Trust(tau, tau + NORMAL_90 * stderr)
