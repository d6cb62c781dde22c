"""WL-GP: a Gaussian process that sees architectures as graphs, averaged with trees.

Sources: Ru et al. 2021, Interpretable Neural Architecture Search via Bayesian Optimisation with Weisfeiler-Lehman
Kernels; Lukasik, Jung and Keuper 2024, Surprisingly Strong Performance Prediction with Neural Graph Features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Suggestion, Trial
from predictors._predictor import Prediction, PredictorError
from predictors._threads import one_thread
from predictors._wl_kernels import Kernels, Prepared
from predictors._wl_observations import Observations, observe
from predictors._wl_posterior import MOST_FOR_WEIGHTS, Posterior, learn_weights
from predictors._wl_trees import Trees
from predictors._wl_views import View, Views
from searchspaces import FeatureSchema, SearchSpace

__all__ = ["WLGP"]

Vector = NDArray[np.float64]
Rungs = NDArray[np.int64]

FEWEST_FOR_TREES = 8
FEWEST_TO_CALIBRATE = 10
PULL = 10.0
"""Observations."""
LEAST_STRETCH, MOST_STRETCH = 0.5, 2.0
FAILURE_NOISE = 0.1
"""Variance that no kernel explains of whether a candidate fails, to begin with."""


class WLGP:
    """Exact Gaussian process on sums of kernels: sub-graphs, blocks, costs and the space's encoding.

    Predicts losses in the metric's unit; `std` is that of the expected loss, without the noise of one training, and
    is stretched by the errors of held-out predictions. It learns standardised logarithms of the distance from the best
    loss, and predicts their median: good candidates differ less, and are less noisy, than bad ones. Replicates are
    averaged, and an observation's noise goes with its standard error, on a scale that is learned. Weights of kernels
    are those of highest posterior density. The mean is averaged with that of extremely randomised trees on the same
    features, by the shares that predict best what was held out.

    Rungs are tasks of one model: what is asked is answered for the suggestion's own rung, from the observations of
    all. Failed trials are left out; a second process on the same kernels learns the chance of failure, and a
    failure counts as the worst loss that was seen. A candidate without an architecture, or outside the space, is told
    by what is left of its features.
    """

    def __init__(
        self,
        space: SearchSpace,
        schema: FeatureSchema | None = None,
        *,
        trees: bool = True,
        compress: bool = True,
        graph: bool = True,
        live: bool = True,
    ) -> None:
        """With a schema, FLOPs, parameters and bytes of tables are features too; `trees` averages with trees.

        `compress: false` takes losses as they are, for a metric that has no outliers and the same noise everywhere. To
        see what the parts are worth, `graph: false` leaves the graph out, and `live: false` takes it as it is written,
        dead blocks too.
        """
        self._views = Views(space, schema, graph=graph, live=live)
        self._has_trees = trees
        self._compresses = compress
        self._fitted: _Fitted | None = None

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Learns from finished trials of all rungs.

        Raises:
            ObjectiveError: the metric is not a known one, so that its direction is unknown.
        """
        seen = observe(trials, Objective(metric), compress=self._compresses)
        views = self._views.of([*seen.candidates, *seen.failed], keep=True)
        with one_thread():
            self._fitted = _Fitted.of(seen, views, has_trees=self._has_trees, rng=rng)
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Expected losses and their standard deviations, in the metric's unit.

        Raises:
            PredictorError: `fit` was never called.
        """
        return self._asked(suggestions)[0]

    def apart(self, suggestions: Sequence[Suggestion]) -> tuple[Prediction, Vector]:
        """Losses where they do not fail, and the chance that they do.

        Raises:
            PredictorError: `fit` was never called.
        """
        _, prediction, chance = self._asked(suggestions)
        return prediction, chance

    def _asked(self, suggestions: Sequence[Suggestion]) -> tuple[Prediction, Prediction, Vector]:
        """With the chance of failure in the losses, without it, and that chance."""
        if self._fitted is None:
            raise PredictorError("a predictor must be fitted before it predicts; call fit first")
        if not suggestions:
            none = Prediction(np.empty(0), np.empty(0))
            return none, none, np.empty(0)
        views = self._views.of([suggestion.candidate for suggestion in suggestions], keep=False)
        with one_thread():
            return self._fitted.predict(views, [suggestion.fidelity.rung for suggestion in suggestions])


@dataclass(frozen=True, eq=False)
class _Fitted:
    """Everything that was learned; `kernels` are over the observed candidates first, the failed ones behind."""

    seen: Observations
    kernels: Kernels
    measured: Prepared
    posterior: Posterior
    trees: Trees | None
    mixed: _Mixture
    failures: Posterior | None

    @classmethod
    def of(cls, seen: Observations, views: Sequence[View], *, has_trees: bool, rng: np.random.Generator) -> _Fitted:
        kernels = Kernels(views)
        count = len(seen.targets)
        measured = kernels.training.taken(np.arange(count))
        some = _some(count, rng)
        weights = learn_weights(
            kernels.each(measured.taken(some)),
            seen.rungs[some],
            seen.noise[some],
            seen.targets[some],
            typical_noise=seen.typical,
            ladder=len(seen.ladder),
        )
        summed = kernels.within(weights.kernels, measured)
        posterior = Posterior.of(weights, summed, seen.rungs, seen.noise, seen.targets)
        seed = int(rng.integers(2**31))
        trees = Trees(views[:count], seen, seed=seed) if has_trees and count >= FEWEST_FOR_TREES else None
        failures = _failures(kernels, count, rng) if seen.failed else None
        return cls(seen, kernels, measured, posterior, trees, _Mixture.of(posterior, trees, seen), failures)

    def predict(self, views: Sequence[View], rungs: Sequence[int]) -> tuple[Prediction, Prediction, Vector]:
        """With the chance of failure in the losses, without it, and that chance."""
        places = np.array([self.seen.place(rung) for rung in rungs])
        asked = self.kernels.prepare(views)
        weights = self.posterior.weights.kernels
        pairs = self.kernels.summed(weights, self.measured, asked)
        mean, std = self.posterior.at(pairs, self.kernels.own(weights, asked), places)
        if self.trees is not None:
            mean = (1 - self.mixed.share) * mean + self.mixed.share * self.trees.predict(views, places)
        chance = self._chance_of_failure(asked)
        worst = np.array([self.seen.scales[place].worst for place in places])
        targets, std = (1 - chance) * mean + chance * np.maximum(worst, mean), self.mixed.stretch * std
        mixed = Prediction(*self.seen.losses(targets, std * (1 - chance), places))
        return mixed, Prediction(*self.seen.losses(mean, std, places)), chance

    def _chance_of_failure(self, asked: Prepared) -> Vector:
        if self.failures is None:
            return np.zeros(asked.count)
        weights, training = self.failures.weights.kernels, self.kernels.training
        pairs, own = self.kernels.summed(weights, training, asked), self.kernels.own(weights, asked)
        mean, _ = self.failures.at(pairs, own, np.zeros(asked.count, dtype=np.int64))
        chance: Vector = np.clip(len(self.seen.failed) / training.count + mean, 0.0, 1.0)
        return chance


@dataclass(frozen=True)
class _Mixture:
    """Share of the trees in the mean, and what the deviations are multiplied with; both told by held-out errors.

    The share minimises the squared error of predictions of targets that were held out, leave-one-out of the process
    and out of bag of the trees, beside a pull to one half that is worth `PULL` observations.
    """

    share: float = 0.0
    stretch: float = 1.0

    @classmethod
    def of(cls, posterior: Posterior, trees: Trees | None, seen: Observations) -> _Mixture:
        errors, expected = posterior.held_out()
        share = 0.0
        if trees is not None:
            apart = trees.held_out - (seen.targets - errors)
            size = float(np.square(apart).sum())
            pull = PULL * size / len(errors)
            share = float(np.clip((apart @ errors + pull / 2) / (size + pull), 0.0, 1.0)) if size > 0 else 0.0
            errors = errors - share * apart
        if len(errors) < FEWEST_TO_CALIBRATE:
            return cls(share)
        stretch = float(np.sqrt(np.mean(np.square(errors / expected))))
        return cls(share, float(np.clip(stretch, LEAST_STRETCH, MOST_STRETCH)))


def _failures(kernels: Kernels, count: int, rng: np.random.Generator) -> Posterior:
    """Regression on whether a candidate fails, less the share that does; the failed ones are behind the first."""
    total = kernels.training.count
    labels = np.where(np.arange(total) < count, 0.0, 1.0) - (total - count) / total
    rungs, noise = np.zeros(total, dtype=np.int64), np.ones(total)
    some = _some(total, rng)
    weights = learn_weights(
        kernels.each(kernels.training.taken(some)),
        rungs[some],
        noise[some],
        labels[some],
        typical_noise=FAILURE_NOISE,
        ladder=1,
    )
    return Posterior.of(weights, kernels.within(weights.kernels, kernels.training), rungs, noise, labels)


def _some(count: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Places of the observations that weights are learned on."""
    if count <= MOST_FOR_WEIGHTS:
        return np.arange(count)
    return np.sort(rng.choice(count, MOST_FOR_WEIGHTS, replace=False))
