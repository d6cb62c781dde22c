"""Quick scores of the best proposals as features, whose weight has to be earned; never a filter.

Letters: n trials, k scores of each; y losses, p what a guide said of candidates that it had not seen, z scores; a, b
and w the weights of y = a + b (p + w z).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from automl.proposals._trust import EVERY, FEWEST, FOLDS, MOST, NORMAL_90
from evaluators import Evaluation, Evaluator, Objective, Suggestion, Trial
from predictors import Predictor
from searchspaces import Candidate, Value

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

PENALTIES = (1.0, 3.0, 10.0, 30.0, 100.0)
"""Of squared weights of standardised scores, in trials."""

WORST = 0.9
"""Quantile of losses beyond which they are taken as that one: what went wrong says little of what is good."""


@dataclass(frozen=True, eq=False)
class Weights:
    """What scores add to a guide's expected loss: w for each of `names`, with the `centre` and `scale` of its scores.

    `gain` is the share of the squared error that is gone when each trial is predicted from the others; `is_earned` says
    that it is more than nothing with 90 %; until then the weights are zero.
    """

    names: tuple[str, ...]
    centre: Vector
    scale: Vector
    weights: Vector
    gain: float
    is_earned: bool

    @classmethod
    def of(cls, names: Sequence[str], scores: Matrix, said: Vector, losses: Vector) -> Weights:
        """Of scores `[n, k]`, NaN where one is lacking, predictions and losses `[n]`."""
        centre, scale = np.nanmean(scores, axis=0), np.nanstd(scores, axis=0)
        line = np.stack([np.ones(len(said)), _clipped(said)], axis=1)
        columns = np.column_stack([_clipped(losses), _standardised(scores, centre, scale)])
        fitted, *_ = np.linalg.lstsq(line, columns)
        rest = columns - line @ fitted
        tried = (_ridge(rest[:, 1:], rest[:, 0], one) for one in PENALTIES)
        weights, errors = min(tried, key=lambda one: float(one[1] @ one[1]))
        gains, slope = rest[:, 0] ** 2 - errors**2, float(fitted[1, 0])
        least = gains.mean() - NORMAL_90 * gains.std(ddof=1) / math.sqrt(len(gains))
        gain = float(gains.sum() / max((rest[:, 0] ** 2).sum(), np.finfo(float).tiny))
        is_earned = bool(slope > 0 and least > 0)
        return cls(tuple(names), centre, scale, weights / slope if is_earned else 0.0 * weights, gain, is_earned)

    def shift(self, scores: Matrix) -> Vector:
        """What is added to the guide's expected losses, `[n]`; a score that is lacking adds nothing."""
        found: Vector = _standardised(scores, self.centre, self.scale) @ self.weights
        return found


@dataclass(eq=False)
class Probes:
    """Scores by an evaluator that takes moments, and what they have told so far that a guide did not know.

    After every `EVERY` trials the guide is cross-validated on the record, and all trials are scored; so weights follow
    from the record alone. Scores are kept by fingerprint. Until their weight is earned no proposal is scored, and then
    the `most` best ones of a pool.
    """

    probe: Evaluator
    guide: Predictor
    objective: Objective
    most: int = 32
    _scores: dict[str, dict[str, float]] = field(default_factory=dict, init=False, repr=False)
    _until: int = field(default=0, init=False, repr=False)
    _weights: Weights | None = field(default=None, init=False, repr=False)

    @property
    def is_earned(self) -> bool:
        """Whether scores count by now."""
        return self._weights is not None and self._weights.is_earned

    def learn(self, record: Sequence[Trial]) -> None:
        """Looks at the guide and at the scores; it may leave the guide fitted on a part of the record."""
        until = len(record) // EVERY * EVERY
        if until == self._until:
            return
        self._until, self._weights = until, None
        known = record[: until : -(-until // MOST)]
        full = {one.candidate.fingerprint: one for one in reversed(known) if self._has_loss(one)}
        if len(full) < FEWEST:
            return
        trials = sorted(full.values(), key=lambda one: one.number)
        said = self._said(known, trials, np.random.default_rng([until, 4]))
        rows = self._of([one.candidate for one in trials])
        names = sorted({name for row in rows for name in row})
        losses = np.array([self.objective.loss(one.value(self.objective.metric) or 0.0) for one in trials])
        if names:
            self._weights = Weights.of(names, _matrix(rows, names), said, losses)

    def shift(self, candidates: Sequence[Candidate]) -> Vector:
        """What their scores add to the expected losses, `[n]`; zeros where the weight is not earned."""
        if self._weights is None or not self.is_earned:
            return np.zeros(len(candidates))
        return self._weights.shift(_matrix(self._of(candidates), self._weights.names))

    def memo(self) -> dict[str, Value]:
        """What a suggestion tells of them: `probe_gain`, and whether they count: `probed`."""
        if self._weights is None:
            return {}
        return {"probe_gain": self._weights.gain, "probed": self._weights.is_earned}

    def _has_loss(self, trial: Trial) -> bool:
        return trial.suggestion.fidelity.is_full and trial.value(self.objective.metric) is not None

    def _said(self, known: Sequence[Trial], trials: Sequence[Trial], rng: np.random.Generator) -> Vector:
        """What the guide says of each trial when it has seen four fifths of the others, `[n]`."""
        names = [one.candidate.fingerprint for one in trials]
        fold_of = dict(zip(names, rng.permutation(len(trials)) % FOLDS, strict=True))
        found = np.empty(len(trials))
        for fold in range(FOLDS):
            rest = [one for one in known if fold_of.get(one.candidate.fingerprint, -1) != fold]
            held = [at for at, one in enumerate(trials) if fold_of[one.candidate.fingerprint] == fold]
            self.guide.fit(rest, self.objective.metric, rng=rng)
            found[held] = self.guide.predict([Suggestion(trials[at].candidate) for at in held]).mean
        return found

    def _of(self, candidates: Sequence[Candidate]) -> list[dict[str, float]]:
        """Scores by name, of each candidate; none of one that cannot be scored."""
        missing = {one.fingerprint: one for one in candidates if one.fingerprint not in self._scores}
        asked = list(missing.values())
        size = self.probe.cohort_size
        for first in range(0, len(asked), size):
            cohort = asked[first : first + size]
            for at, outcome in self.probe.evaluate([Suggestion(one) for one in cohort]):
                self._scores[cohort[at].fingerprint] = _scores(outcome) if isinstance(outcome, Evaluation) else {}
        return [self._scores[one.fingerprint] for one in candidates]


def _scores(outcome: Evaluation) -> dict[str, float]:
    """Metrics on the scale of their logarithm: they span orders of magnitude, or lie so near that it is a line."""
    values = {name: one.value for name, one in outcome.metrics.items()}
    return {name: math.copysign(math.log10(1.0 + abs(one)), one) for name, one in values.items() if math.isfinite(one)}


def _matrix(rows: Sequence[dict[str, float]], names: Sequence[str]) -> Matrix:
    return np.array([[row.get(name, np.nan) for name in names] for row in rows]).reshape(len(rows), len(names))


def _standardised(scores: Matrix, centre: Vector, scale: Vector) -> Matrix:
    found: Matrix = np.nan_to_num((scores - centre) / np.where(scale > 0, scale, 1.0))
    return found


def _clipped(values: Vector) -> Vector:
    found: Vector = np.minimum(values, np.quantile(values, WORST))
    return found


def _ridge(z: Matrix, rest: Vector, penalty: float) -> tuple[Vector, Vector]:
    """Weights, and the error of each trial when it is predicted from the others."""
    inverse = np.linalg.inv(z.T @ z + penalty * np.eye(z.shape[1]))
    weights: Vector = inverse @ z.T @ rest
    leverage = np.einsum("nk,kl,nl->n", z, inverse, z)
    return weights, (rest - z @ weights) / (1.0 - leverage)
