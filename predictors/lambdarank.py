"""LambdaRank: boosted trees that learn the order of the trials, the best above all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

import lightgbm
import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Suggestion, Trial
from predictors._checks import check_counts, check_fitted
from predictors._encoder import Encoder
from predictors._feasibility import Feasibility
from predictors._predictor import Prediction
from predictors._ranks import loss_ranks
from predictors._records import FEWEST_RECORDS, measured
from searchspaces import Candidate, SearchSpace

__all__ = ["LambdaRank"]

MOST_RECORDS = 10_000  # LightGBM refuses longer queries
TRUNCATION = 100  # LightGBM's 30 halves the pairs at 100 records: Kendall's tau 0.62 instead of 0.67 on planted bits
PUBLISHED_LEAF = 20
PUBLISHED_ROUNDS = 1500
PUBLISHED_PATIENCE = 150


@dataclass(frozen=True)
class _Records:
    features: NDArray[np.float64]  # [n, d]
    relevance: NDArray[np.int64]  # [n], higher is better, below n
    group: list[int]  # rows of each rung, in order


class LambdaRank:
    """Gradient boosted trees on the encoded candidate, trained on NDCG of the trials' ranks.

    Source: Burges 2010, From RankNet to LambdaRank to LambdaMART; the settings start from those of Song
    et al. 2020 (AutoCTR): trees of depth 3, learning rate 0.05, gain linear in the rank. Trials of
    different rungs are never compared; several trials of one fingerprint count once, at their mean
    rank; beyond 10,000 records the latest are used. Scores are not calibrated: `std` is 0, but for doubt whether a
    candidate fails. Failed trials have no rank: they teach how likely a candidate fails, and the prediction is what is
    to be expected if a failure is worth the worst score of the record.

    `faithful` takes the published settings literally: leaves of at least 20 records, up to 1,500
    rounds that stop early on the latest fifth of the trials, one rung, failed trials last. Below 50 records such trees
    cannot split, and up to about 63 they seldom do: the predictions are constant.
    """

    def __init__(
        self,
        space: SearchSpace,
        *,
        min_data_in_leaf: int = 3,
        rounds: int = 100,
        threads: int = 1,
        faithful: bool = False,
    ) -> None:
        """With `faithful`, the published values stand in for `min_data_in_leaf` and `rounds`.

        Raises:
            PredictorError: an option below 1.
        """
        check_counts(min_data_in_leaf=min_data_in_leaf, rounds=rounds, threads=threads)
        self._encoder = Encoder(space)
        self._min_data_in_leaf = PUBLISHED_LEAF if faithful else min_data_in_leaf
        self._rounds = rounds
        self._threads = threads
        self._faithful = faithful
        self._booster: lightgbm.Booster | None = None
        self._worst = 1.0
        self._feasibility = Feasibility(0.0)
        self._is_fitted = False

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Learns the order of the trials by `metric`; with fewer than four records it stays constant.

        Raises:
            ObjectiveError: the metric is not a known one, so that its direction is unknown.
        """
        objective = Objective(metric)
        records = self._records(trials if self._faithful else measured(trials, objective), objective)
        self._booster, self._worst = None, 1.0
        self._is_fitted = True
        seed = int(rng.integers(2**31))
        self._feasibility = Feasibility(0.0)
        if not self._faithful:
            self._feasibility = Feasibility.learned(trials, objective, self._encoder, seed=seed)
        if len(records.relevance) >= FEWEST_RECORDS and records.relevance.any():
            self._booster = self._published(records, seed) if self._faithful else self._trained(records, seed)
            self._worst = float(self._hoped(records.features).max())
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Negated scores, so that smaller is better.

        Raises:
            PredictorError: `fit` was never called.
        """
        check_fitted(is_fitted=self._is_fitted)
        if not suggestions or (self._booster is None and not self._feasibility.rate):
            return Prediction(np.zeros(len(suggestions)), np.zeros(len(suggestions)))
        features = self._encoder.passing(suggestion.candidate for suggestion in suggestions)
        hoped = Prediction(self._hoped(features), np.zeros(len(features)))
        return self._feasibility.mixed(hoped, features, worst=self._worst)

    def _hoped(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Negated scores of what does not fail."""
        if self._booster is None:
            return np.zeros(len(features))
        return -np.asarray(self._booster.predict(features, num_threads=self._threads), dtype=np.float64)

    def _records(self, trials: Sequence[Trial], objective: Objective) -> _Records:
        rungs = sorted({trial.suggestion.fidelity.rung for trial in trials})
        parts = [self._rung(trials, rung, objective) for rung in rungs]
        if not parts:
            return _Records(np.empty((0, 0)), np.empty(0, dtype=np.int64), [])
        features, relevance = zip(*parts, strict=True)
        return _Records(np.concatenate(features), np.concatenate(relevance), [len(one) for one in relevance])

    def _rung(
        self, trials: Sequence[Trial], rung: int, objective: Objective
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        members = [trial for trial in trials if trial.suggestion.fidelity.rung == rung]
        ranks: dict[str, list[float]] = {}
        candidates: dict[str, Candidate] = {}
        for trial, rank in zip(members, loss_ranks(members, objective), strict=True):
            fingerprint = trial.candidate.fingerprint
            candidates.setdefault(fingerprint, trial.candidate)
            ranks.setdefault(fingerprint, []).append(float(rank))
        latest = list(candidates)[-MOST_RECORDS:]
        mean = np.array([np.mean(ranks[fingerprint]) for fingerprint in latest])
        _, relevance = np.unique(-mean, return_inverse=True)
        return self._encoder.learned(candidates[one] for one in latest), relevance.astype(np.int64)

    def _trained(self, records: _Records, seed: int) -> lightgbm.Booster:
        parameters = self._parameters(records, seed) | {"lambdarank_truncation_level": TRUNCATION}
        return lightgbm.train(parameters, _dataset(records), num_boost_round=self._rounds)

    def _published(self, records: _Records, seed: int) -> lightgbm.Booster:
        cut = int(0.8 * len(records.relevance))
        train, valid = _ranked_again(records, slice(None, cut)), _ranked_again(records, slice(cut, None))
        fitted = _dataset(train)
        return lightgbm.train(
            self._parameters(records, seed) | {"metric": "ndcg", "eval_at": [3]},
            fitted,
            num_boost_round=PUBLISHED_ROUNDS,
            valid_sets=[_dataset(valid, reference=fitted)],
            callbacks=[lightgbm.early_stopping(PUBLISHED_PATIENCE, verbose=False)],
        )

    def _parameters(self, records: _Records, seed: int) -> dict[str, Any]:
        return {
            "objective": "lambdarank",
            "label_gain": [2 * label for label in range(len(records.relevance))],
            "max_depth": 3,
            "learning_rate": 0.05,
            "feature_fraction": 0.9,
            "bagging_fraction": 0.8,
            "bagging_freq": 5,
            "min_data_in_leaf": self._min_data_in_leaf,
            "seed": seed,
            "deterministic": True,
            "force_row_wise": True,
            "num_threads": self._threads,
            "verbosity": -1,
        }


def _ranked_again(records: _Records, part: slice) -> _Records:
    _, relevance = np.unique(records.relevance[part], return_inverse=True)
    return _Records(records.features[part], relevance.astype(np.int64), [len(relevance)])


def _dataset(records: _Records, reference: lightgbm.Dataset | None = None) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        records.features,
        records.relevance,
        group=records.group,
        reference=reference,
        params={"verbosity": -1},
        free_raw_data=False,
    )
