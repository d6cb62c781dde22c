"""Pairwise MLP: an ensemble of small networks that learn which of two candidates is better, and which is cheaper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray

from evaluators import Objective, Suggestion, Trial
from predictors._checks import check_counts, check_fitted
from predictors._encoder import Encoder
from predictors._feasibility import Feasibility
from predictors._predictor import Prediction, PredictorError
from predictors._records import Places, measured, places
from predictors._stacked_mlp import StackedMLP, Targets
from searchspaces import SearchSpace

__all__ = ["PairwiseMLP"]

COST = "flops"
LOSSES = ("pairwise", "squared")
MARGIN = 0.001
STEPS = 300
QUALITY, PRICE = 0, 1


@dataclass(frozen=True)
class _Fitted:
    network: StackedMLP
    centre: NDArray[np.float64]  # [d]
    scale: NDArray[np.float64]  # [d]
    score_centre: NDArray[np.float64]  # [e 1 t]
    score_scale: NDArray[np.float64]  # [e 1 t]
    worst: float  # of the record, standardised, mean over the networks


class PairwiseMLP:
    """Ten networks `[d, 50, 50, 2]` with one head for quality and one for FLOPs, trained by margin ranking loss.

    Source: Yin et al. 2023, AutoML for Large Capacity Modeling of Meta's Ranking Systems: two shared layers, a head
    for each target, margin 0.001 over pairs, the mean of ten copies. `ensemble: 1` and `loss: squared` are the
    paper's ablations; squared error is on places in the record, standardised.

    The first head learns the candidates' places, with rungs tied by what they share (`predictors._records.places`).
    Failed trials have none: they teach how likely a candidate fails, and the prediction is what is to be expected if a
    failure is worth the worst score of the record. The second head learns the metric `flops`, where trials have it.
    Scores of each network are standardised over the record, so that none of them counts more; `std` is the spread among
    the networks.
    """

    def __init__(
        self, space: SearchSpace, *, ensemble: int = 10, loss: str = "pairwise", hidden: int = 50, steps: int = STEPS
    ) -> None:
        """`steps` of Adam, each on up to 64 candidates a network.

        Raises:
            PredictorError: an unknown loss, or a count below 1.
        """
        if loss not in LOSSES:
            raise PredictorError(f"loss must be one of {', '.join(LOSSES)}, but is {loss!r}")
        check_counts(ensemble=ensemble, hidden=hidden, steps=steps)
        self._members, self._hidden, self._steps = ensemble, hidden, steps
        self._margin = MARGIN if loss == "pairwise" else None
        self._encoder = Encoder(space)
        self._fitted: _Fitted | None = None
        self._feasibility = Feasibility(0.0)
        self._is_fitted = False

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Learns the order of the trials; with fewer than four candidates it stays constant.

        Raises:
            ObjectiveError: the metric is not a known one, so that its direction is unknown.
        """
        objective = Objective(metric)
        record = places(measured(trials, objective), objective)
        seed = int(rng.integers(2**31))
        generator = torch.Generator().manual_seed(seed)
        self._is_fitted = True
        self._feasibility = Feasibility.learned(trials, objective, self._encoder, seed=seed)
        self._fitted = self._trained(record, _costs(trials, record), generator) if record.teach else None
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Standardised places, smaller is better.

        Raises:
            PredictorError: `fit` was never called.
        """
        hoped = self._predicted(suggestions, QUALITY)
        if not suggestions or not self._feasibility.rate:
            return hoped
        codes = self._encoder.passing(one.candidate for one in suggestions)
        return self._feasibility.mixed(hoped, codes, worst=self._fitted.worst if self._fitted else 1.0)

    def predict_flops(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Standardised order of FLOPs, smaller is cheaper; meaningless where no trial measured them.

        Raises:
            PredictorError: `fit` was never called.
        """
        return self._predicted(suggestions, PRICE)

    def _predicted(self, suggestions: Sequence[Suggestion], head: int) -> Prediction:
        check_fitted(is_fitted=self._is_fitted)
        if self._fitted is None or not suggestions:
            return Prediction(np.zeros(len(suggestions)), np.zeros(len(suggestions)))
        found = self._fitted
        codes = (self._encoder.passing(one.candidate for one in suggestions) - found.centre) / found.scale
        scores = found.network.scores(torch.from_numpy(codes).float()).double().numpy()
        each = ((scores - found.score_centre) / found.score_scale)[:, :, head]
        return Prediction(each.mean(axis=0), each.std(axis=0))

    def _trained(self, record: Places, costs: NDArray[np.float64], generator: torch.Generator) -> _Fitted:
        codes = self._encoder.learned(record.candidates)
        centre, scale = codes.mean(axis=0), _spread(codes, axis=0)
        inputs = torch.from_numpy((codes - centre) / scale).float()
        wanted = np.stack([record.place, costs], axis=1)
        known = ~np.isnan(wanted)
        wanted = np.where(known, (wanted - _masked_mean(wanted, known)) / _masked_spread(wanted, known), 0.0)
        targets = Targets(torch.from_numpy(wanted).float(), torch.from_numpy(known))
        network = StackedMLP(
            codes.shape[1], wanted.shape[1], members=self._members, hidden=self._hidden, generator=generator
        )
        network.train(inputs, targets, steps=self._steps, margin=self._margin, generator=generator)
        scores = network.scores(inputs).double().numpy()
        middle, spread = scores.mean(axis=1, keepdims=True), _spread(scores, axis=1, keep=True)
        worst = ((scores - middle) / spread)[:, :, QUALITY].mean(axis=0).max()
        return _Fitted(network, centre, scale, middle, spread, float(worst))


def _costs(trials: Sequence[Trial], record: Places) -> NDArray[np.float64]:
    """Logarithm of each candidate's FLOPs `[n]`, nan where no trial measured them."""
    known = {trial.candidate.fingerprint: trial.value(COST) for trial in trials if trial.value(COST) is not None}
    costs = np.array([known.get(candidate.fingerprint) or np.nan for candidate in record.candidates], dtype=np.float64)
    return np.log(np.where(costs > 0, costs, np.nan))


def _spread(values: NDArray[np.float64], *, axis: int, keep: bool = False) -> NDArray[np.float64]:
    std = values.std(axis=axis, keepdims=keep)
    spread: NDArray[np.float64] = np.where(std > 1e-12, std, 1.0)
    return spread


def _masked_mean(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    total = np.where(known, values, 0.0).sum(axis=0)
    mean: NDArray[np.float64] = total / np.maximum(known.sum(axis=0), 1)
    return mean


def _masked_spread(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    variance = _masked_mean((values - _masked_mean(values, known)) ** 2, known)
    spread: NDArray[np.float64] = np.where(variance > 1e-24, np.sqrt(variance), 1.0)
    return spread
