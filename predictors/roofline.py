"""Roofline: speed, price and memory of training systems, by equations where there are any, and a process for the rest.

Sources: Williams, Waterman and Patterson 2009, Roofline: An Insightful Visual Performance Model (the mean); Wen et al.
2024, CubicML: automated ML for large ML systems co-design with ML prediction of performance (the use).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluators import Goal, Objective, Suggestion, Trial
from predictors._boosted import Boosted
from predictors._checks import check_fitted
from predictors._column_process import ColumnProcess
from predictors._encoder import Encoder
from predictors._equations import CALIBRATED, Equations
from predictors._feasibility import Feasibility, with_failures
from predictors._predictor import Prediction
from predictors._records import Losses, losses
from searchspaces import SearchSpace

__all__ = ["Roofline"]

Vector = NDArray[np.float64]

CLIP = 3.0
"""Robust standard deviations above the median at which losses are cut: a run that hung is bad enough there."""

LEAST_VARIANCE = 1e-6  # of a standardised loss; keeps the matrix invertible where replicates agree

MULTIPLIED = frozenset(
    {
        "examples_per_second",
        "speed_ratio",
        "qps",
        "latency_ms_p50",
        "latency_ms_p99",
        "peak_memory_bytes",
        "train_seconds",
        "energy_joules",
        "step_seconds",
        "dollars_per_billion_examples",
    }
)
"""Metrics of systems, to which knobs are factors: twice the threads is a share of the time, whatever else is chosen."""


@dataclass(frozen=True)
class _Scale:
    """Between losses in the metric's unit and what is learned: logarithms, where all losses have one."""

    objective: Objective
    is_logarithmic: bool

    @classmethod
    def of(cls, objective: Objective, loss: Vector) -> _Scale:
        sign = 1.0 if objective.goal is Goal.MINIMIZE else -1.0
        return cls(objective, objective.metric in MULTIPLIED and bool((sign * loss > 0).all()))

    @property
    def sign(self) -> float:
        """Of the metric in a loss."""
        return 1.0 if self.objective.goal is Goal.MINIMIZE else -1.0

    def learned(self, loss: Vector) -> Vector:
        """What is learned of losses; smaller is better still."""
        return self.sign * np.log(self.sign * loss) if self.is_logarithmic else loss

    def variance(self, loss: Vector, variance: Vector) -> Vector:
        """Of what is learned, to first order."""
        return variance / loss**2 if self.is_logarithmic else variance

    def told(self, learned: Prediction) -> Prediction:
        """In the metric's unit: the median, and the spread to first order."""
        if not self.is_logarithmic:
            return learned
        mean = self.sign * np.exp(self.sign * learned.mean)
        return Prediction(mean, np.abs(mean) * learned.std)


@dataclass(frozen=True, eq=False)
class _Fitted:
    """`centre` and `spread` standardise what equations leave over; `worst` is the worst that was seen, as learned."""

    scale: _Scale
    centre: float
    spread: float
    worst: float
    has_equations: bool
    process: ColumnProcess
    trees: Boosted | None
    feasibility: Feasibility


class Roofline:
    """Learns the logarithm of a system's metric; failures are a matter of their own.

    In the space `codesign` the mean is what the cost equations say (`evaluators._codesign.step`), since a model that
    has seen ten runs cannot know what a network card's data sheet tells. Where no cluster is described, such as in
    `run_settings`, the mean is linear in the columns of the space's encoding, whose ordered choices are mostly powers
    of two: each knob multiplies the time of a step by a factor, each doubling by the same one. What is left over is a
    Gaussian process with a length for each column (`predictors._column_process`); what knobs do together is there.
    Boosted trees have the share of the mean that held-out records speak for.

    Failed trials are no losses: a forest learns how likely a candidate fails, a bound on memory knows where it surely
    does, and the prediction is what is to be expected if a failure is worth the worst loss. Predictions are in the
    metric's unit (negated where more is better). Lower rungs are carried over as `predictors._records.losses` does.
    """

    def __init__(self, space: SearchSpace, *, equations: str = CALIBRATED, trees: bool = True) -> None:
        """`equations` are `calibrated` (the package's coefficients), `peaks` (half of every peak), or `none`.

        Raises:
            PredictorError: other equations.
        """
        self._encoder = Encoder(space)
        self._equations = Equations.of(space, equations)
        self._has_trees = trees
        self._fitted: _Fitted | None = None
        self._is_fitted = False

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Learns the losses of the trials; with fewer than four it stays constant.

        Raises:
            ObjectiveError: the metric is not a known one, so that its direction is unknown.
        """
        objective = Objective(metric)
        record = losses(trials, objective)
        seeds = rng.integers(2**31, size=2)
        self._is_fitted, self._fitted = True, None
        if record.teach:
            feasibility = Feasibility.learned(trials, objective, self._encoder, seed=int(seeds[0]))
            self._fitted = self._learned(record, objective, feasibility, np.random.default_rng(int(seeds[1])))
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Expected losses in the metric's unit; the spread is the posterior's, without the noise of a trial.

        Raises:
            PredictorError: `fit` was never called.
        """
        check_fitted(is_fitted=self._is_fitted)
        fitted = self._fitted
        if fitted is None or not suggestions:
            return Prediction(np.zeros(len(suggestions)), np.zeros(len(suggestions)))
        candidates = [one.candidate for one in suggestions]
        codes = self._encoder.passing(candidates)
        mean, std = fitted.process.predict(codes)
        if fitted.trees is not None:
            mean = fitted.trees.mixed(mean, codes)
        learned = fitted.centre + fitted.spread * mean
        if fitted.has_equations:
            told = self._equations.values(candidates, fitted.scale.objective.metric)
            assert told is not None  # it was told of the trials, and candidates are of the same space
            learned = learned + fitted.scale.learned(fitted.scale.sign * told)
        failing = np.maximum(fitted.feasibility.probability(codes), self._equations.are_too_large(candidates))
        hoped = Prediction(learned, fitted.spread * std)
        return fitted.scale.told(with_failures(hoped, failing, worst=fitted.worst))

    def _learned(
        self, record: Losses, objective: Objective, feasibility: Feasibility, rng: np.random.Generator
    ) -> _Fitted:
        scale = _Scale.of(objective, record.loss)
        values = _cut(scale.learned(record.loss))
        told = self._equations.values(record.candidates, objective.metric) if scale.is_logarithmic else None
        left = values if told is None else values - scale.learned(scale.sign * told)
        centre, spread = float(left.mean()), float(left.std()) or 1.0
        targets = (left - centre) / spread
        known = np.nan_to_num(scale.variance(record.loss, record.variance), nan=0.0) / spread**2
        codes = self._encoder.learned(record.candidates)
        process = ColumnProcess.learned(codes, targets, np.maximum(known, LEAST_VARIANCE), rng=rng)
        trees = None
        if self._has_trees:
            names = [one.fingerprint for one in record.candidates]
            trees = Boosted.beside(codes, targets, process.held_out(), names, rng=rng)
        return _Fitted(scale, centre, spread, float(values.max()), told is not None, process, trees, feasibility)


def _cut(values: Vector) -> Vector:
    median = float(np.median(values))
    spread = 1.4826 * float(np.median(np.abs(values - median))) or float(values.std())
    cut: Vector = np.minimum(values, median + CLIP * spread)
    return cut
