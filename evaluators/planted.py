"""Evaluator `planted`: a known function of the candidate instead of training; for tests, races and benchmarks.

Letters: x the space's encoding of a candidate, u = tanh x, d its length, z a standardised score.

    score(u) = sum_i a_i u_i + sum_(i,j) b_ij u_i u_j + sum_(i,j,k) c_ijk u_i u_j u_k

with coefficients drawn once for all studies. Scores are standardised by a fixed sample of the space, and
squashed so that random candidates lie around NE 0.9, within 0.8 and 1.0.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._evaluation import Evaluation, Failure, FailureKind, Metric, Point
from evaluators._trial import Suggestion
from searchspaces import Candidate, SearchSpace, SearchSpaceError

__all__ = ["Planted"]

_SEED = 20260101
_SAMPLE = 64
_INTERACTIONS = 3
"""Pairs, and as many triples, per coordinate of the encoding."""
_BASE_RATE_ENTROPY = math.log(2.0)

Vector = NDArray[np.float64]


@dataclass(eq=False)
class Planted:
    """Answers in microseconds, the same for equal (fingerprint, replicate, study seed).

    More FLOPs help a little, so that NE against FLOPs has a front. An architecture from outside the space,
    a human-made baseline say, stands at a place that its fingerprint decides.

    A fidelity may set `noise`, `seconds` and `faithfulness`: the share, from 0 to 1, of the true height in what is
    measured; the rest is another landscape's, so that a rung can be precise and wrong.

    noise        standard deviation of NE between replicates
    seconds      time that each trial takes
    fail_every   about one in so many suggestions fails, always the same ones; None lets none fail

    Raises:
        EvaluatorError: an option is negative, or zero where it counts something.
    """

    space: SearchSpace
    study_seed: int
    _: KW_ONLY
    noise: float = 0.0
    seconds: float = 0.0
    fail_every: int | None = None
    cohort_size: int = 1

    def __post_init__(self) -> None:
        for name, value in (("noise", self.noise), ("seconds", self.seconds)):
            if not (math.isfinite(value) and value >= 0):
                raise EvaluatorError(f"{name!r} must be zero or more, but is {value!r}")
        for name, count in (("fail_every", self.fail_every), ("cohort_size", self.cohort_size)):
            if count is not None and count < 1:
                raise EvaluatorError(f"{name!r} must be at least 1, but is {count!r}")

    @cached_property
    def _landscape(self) -> _Landscape:
        # when it is first needed: a study that begins builds an evaluator that is only looked at
        return _Landscape.of(self.space)

    def evaluate(self, cohort: Sequence[Suggestion]) -> Iterator[tuple[int, Evaluation | Failure]]:
        """Yields one outcome per member, in order."""
        for position, suggestion in enumerate(cohort):
            yield position, self._outcome(suggestion)

    def open(self) -> None:
        """Nothing is needed."""

    def close(self) -> None:
        """Nothing is held."""

    def _outcome(self, suggestion: Suggestion) -> Evaluation | Failure:
        at = _Rung.of(suggestion.fidelity.settings, self.noise, self.seconds)
        time.sleep(at.seconds)
        rng = self._rng(suggestion)
        if self.fail_every is not None and rng.integers(self.fail_every) == 0:
            return Failure(FailureKind.CRASHED, "a planted failure", at.seconds)
        try:
            macs, ne = self._landscape.heights(self._place(suggestion.candidate), faithfulness=at.faithfulness)
        except SearchSpaceError as error:
            return Failure(FailureKind.INVALID, str(error), at.seconds)
        measured = ne + at.noise * float(rng.standard_normal())
        metrics = _metrics(measured, macs, at.seconds)
        metrics["ne"] = Metric(measured, at.noise)
        return Evaluation(metrics, (Point(1, {"train_logloss": metrics["logloss"].value}),), seconds=at.seconds)

    def _place(self, candidate: Candidate) -> Vector:
        try:
            return np.asarray(self.space.encode(candidate), np.float64)
        except SearchSpaceError:
            if candidate.architecture is None:
                raise
            digits = int(candidate.fingerprint.rpartition(":")[2], 16)
            return np.random.default_rng(digits).standard_normal(len(self._landscape.linear))

    def _rng(self, suggestion: Suggestion) -> np.random.Generator:
        key = f"{suggestion.candidate.fingerprint}|{suggestion.replicate}|{self.study_seed}"
        return np.random.default_rng(list(hashlib.sha256(key.encode()).digest()))


@dataclass(frozen=True)
class _Rung:
    noise: float
    seconds: float
    faithfulness: float = 1.0

    @classmethod
    def of(cls, settings: Mapping[str, Any], noise: float, seconds: float) -> _Rung:
        values = {"noise": noise, "seconds": seconds, "faithfulness": 1.0}
        for name, value in settings.items():
            most = 1.0 if name == "faithfulness" else math.inf
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if name not in values or not is_number or not 0 <= value <= most:
                known = "'noise' and 'seconds', zero or more, and 'faithfulness' from 0 to 1"
                raise EvaluatorError(f"a planted fidelity sets {known}, but has {name!r}: {value!r}")
            values[name] = float(value)
        return cls(**values)


@dataclass(frozen=True, eq=False)
class _Landscape:
    """Coefficients for one length of encoding, and what standardises the two scores of a space."""

    linear: Vector
    members: tuple[tuple[NDArray[np.int64], Vector], ...]
    prices: Vector
    centre: Vector
    spread: Vector

    @classmethod
    def of(cls, space: SearchSpace) -> _Landscape:
        rng = np.random.default_rng(_SEED)
        sample = np.stack([np.asarray(space.encode(space.sample(rng)), np.float64) for _ in range(_SAMPLE)])
        length = int(sample.shape[1])
        raw = cls(
            np.random.default_rng([_SEED, length]).standard_normal(length),
            tuple(_interactions(length, order) for order in (2, 3)),
            np.random.default_rng([_SEED, length, 1]).exponential(size=length),
            np.zeros(2),
            np.ones(2),
        )
        scores = np.stack([raw.scores(one) for one in sample])
        spread = np.maximum(scores.std(axis=0), 1e-9)
        return cls(raw.linear, raw.members, raw.prices, scores.mean(axis=0), spread)

    def scores(self, encoding: Vector) -> Vector:
        """(price, loss), each with about zero mean and unit spread over the space, [2]."""
        moved = np.tanh(encoding)
        loss = self.linear @ moved + sum(factor @ moved[at].prod(axis=1) for at, factor in self.members)
        scores: Vector = (np.array([self.prices @ moved, loss]) - self.centre) / self.spread
        return scores

    def heights(self, encoding: Vector, *, faithfulness: float = 1.0) -> tuple[int, float]:
        """Multiply-adds and noiseless NE; the share that is not faithful is that of the mirrored place."""
        price, loss = self.scores(encoding)
        if faithfulness < 1.0:
            loss = faithfulness * loss + (1.0 - faithfulness) * float(self.scores(-encoding[::-1])[1])
        return round(10.0 ** (6.0 + math.tanh(price / 3.0))), 0.9 + 0.1 * math.tanh((loss - 0.3 * price) / 4.0)


def _interactions(length: int, order: int) -> tuple[NDArray[np.int64], Vector]:
    rng = np.random.default_rng([_SEED, length, order, 2])
    count = _INTERACTIONS * length
    return rng.integers(0, length, (count, order)), rng.standard_normal(count) / math.sqrt(_INTERACTIONS)


def _metrics(ne: float, macs: int, seconds: float) -> dict[str, Metric]:
    values = {
        "auc": 1.0 - 0.5 * min(max(ne, 0.0), 2.0),
        "logloss": ne * _BASE_RATE_ENTROPY,
        "calibration": 1.0,
        "flops": 2 * macs,
        "macs": macs,
        "params": macs // 2,
        "embedding_bytes": 2 * macs,
        "examples_per_second": 1e11 / macs,
        "qps": 3e11 / macs,
        "latency_ms_p50": 0.05 + macs / 1e6,
        "latency_ms_p99": 0.1 + macs / 5e5,
        "peak_memory_bytes": 10**8 + 16 * macs,
        "train_seconds": seconds,
    }
    return {name: Metric(value) for name, value in values.items()}
