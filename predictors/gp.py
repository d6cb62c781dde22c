"""Gaussian process on the flat encoding: guesses losses in their own unit, and knows how sure it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from botorch.models import SingleTaskGP
from botorch.optim.fit import fit_gpytorch_mll_scipy
from botorch.settings import validate_input_scaling
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import LogNormalPrior
from numpy.typing import NDArray
from torch import Tensor

from evaluators import Objective, Suggestion, Trial
from predictors._checks import check_fitted
from predictors._encoder import Encoder
from predictors._feasibility import Feasibility, with_failures
from predictors._predictor import Prediction, PredictorError
from predictors._records import Losses, losses
from searchspaces import SearchSpace

__all__ = ["GP"]

CLIP = 3.0
"""Robust standard deviations above the median at which losses are cut: a diverged trial is bad enough there."""

MOST_FITTED = 300
"""Records that hyper-parameters are learned from: each step costs their third power. All records are conditioned on."""

MOST_STEPS = 50
LEAST_VARIANCE = 1e-6  # of a standardised loss; keeps the matrix invertible where replicates agree


@dataclass(frozen=True)
class _Scale:
    """Between losses and what the process learns."""

    centre: float
    spread: float
    worst: float  # the loss at which others are cut


@dataclass(frozen=True)
class _Fitted:
    model: SingleTaskGP
    scale: _Scale
    feasibility: Feasibility


class GP:
    """BoTorch's SingleTaskGP: squared-exponential kernel with a length for each column, fitted by MAP.

    Source: Hvarfner, Hellsten, Nardi 2024, Vanilla Bayesian Optimization Performs Great in High Dimensions, for the
    priors, whose lengths grow with the number of columns; Balandat et al. 2020, BoTorch.

    It learns losses, cut at the worse end and standardised, so that predictions are in the metric's unit (negated
    where more is better). Each trial has the variance that its evaluator gives, and one more that all share and that
    is learned: what seeds do. Replicates are records of their own. Lower rungs are carried over where enough candidates
    were measured on both (`predictors._records.losses`). Failed trials teach how likely a candidate fails, and the
    prediction is what is to be expected if a failure is worth the worst loss.
    """

    def __init__(self, space: SearchSpace, *, clip: float = CLIP, most_fitted: int = MOST_FITTED) -> None:
        """Losses are cut `clip` robust standard deviations above the median.

        Raises:
            PredictorError: a clip that is not above 0, or fewer than 10 records to fit.
        """
        if not clip > 0:
            raise PredictorError(f"clip must be above 0, but is {clip}")
        if most_fitted < 10:
            raise PredictorError(f"most_fitted must be at least 10, but is {most_fitted}")
        self._clip, self._most_fitted = clip, most_fitted
        self._encoder = Encoder(space)
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
            scale = _scale(record.loss, self._clip)
            model = self._model(record, scale, np.random.default_rng(int(seeds[1])))
            self._fitted = _Fitted(model, scale, feasibility)
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Expected losses in the metric's unit; the spread is the posterior's, without the noise of a trial.

        Raises:
            PredictorError: `fit` was never called.
        """
        check_fitted(is_fitted=self._is_fitted)
        if self._fitted is None or not suggestions:
            return Prediction(np.zeros(len(suggestions)), np.zeros(len(suggestions)))
        codes = self._encoder.passing(one.candidate for one in suggestions)
        scale = self._fitted.scale
        with torch.no_grad():
            posterior = self._fitted.model.posterior(torch.from_numpy(codes))
        mean = posterior.mean[:, 0].numpy() * scale.spread + scale.centre
        std = posterior.variance[:, 0].clamp(min=0).sqrt().numpy() * scale.spread
        return with_failures(Prediction(mean, std), self._fitted.feasibility.probability(codes), worst=scale.worst)

    def _model(self, record: Losses, scale: _Scale, rng: np.random.Generator) -> SingleTaskGP:
        codes = torch.from_numpy(self._encoder.learned(record.candidates))
        values = torch.from_numpy((np.minimum(record.loss, scale.worst) - scale.centre) / scale.spread)
        variances = np.nan_to_num(record.variance, nan=0.0) / scale.spread**2
        noise = torch.from_numpy(np.maximum(variances, LEAST_VARIANCE))
        model = _process(codes, values, noise)
        if len(codes) > self._most_fitted:
            chosen = torch.from_numpy(np.sort(rng.choice(len(codes), self._most_fitted, replace=False)))
            part = _learned(_process(codes[chosen], values[chosen], noise[chosen]))
            model.load_state_dict(part.state_dict())
            return model.eval()
        return _learned(model)


def _scale(loss: NDArray[np.float64], clip: float) -> _Scale:
    median = float(np.median(loss))
    spread = 1.4826 * float(np.median(np.abs(loss - median))) or float(loss.std())
    worst = min(median + clip * spread, float(loss.max()))
    cut = np.minimum(loss, worst)
    return _Scale(float(cut.mean()), float(cut.std()) or 1.0, worst)


def _process(codes: Tensor, values: Tensor, noise: Tensor) -> SingleTaskGP:
    # The learned variance has BoTorch's prior of a homoskedastic noise.
    likelihood = FixedNoiseGaussianLikelihood(noise, learn_additional_noise=True, noise_prior=LogNormalPrior(-4.0, 1.0))
    with validate_input_scaling(False):  # a part of the records is not quite standardised
        return SingleTaskGP(codes, values[:, None], likelihood=likelihood, outcome_transform=None)


def _learned(model: SingleTaskGP) -> SingleTaskGP:
    model.train()
    likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
    # One attempt from BoTorch's initial values: its own retries draw from torch's global generator.
    fit_gpytorch_mll_scipy(likelihood, options={"maxiter": MOST_STEPS})
    return model.eval()
