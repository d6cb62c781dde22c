"""Forest: randomised trees that learn the places of the trials, each tree its own opinion."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

from evaluators import Objective, Suggestion, Trial
from predictors._checks import check_counts, check_fitted
from predictors._encoder import Encoder
from predictors._feasibility import Feasibility
from predictors._predictor import Prediction, PredictorError
from predictors._records import measured, places
from searchspaces import SearchSpace

__all__ = ["Forest"]

KINDS = {"extra": ExtraTreesRegressor, "random": RandomForestRegressor}


class Forest:
    """Mean and spread over trees that regress a candidate's place in the record, from 0 (best) to 1, on its encoding.

    Source: Breiman 2001, Random Forests; `kind: extra` draws the thresholds too (Geurts, Ernst, Wehenkel 2006,
    Extremely randomized trees). Places rather than losses, so that one diverged trial does not decide all splits.
    Rungs are tied by the candidates that they share, as `predictors._records.places` does. Failed trials have no place:
    they teach how likely a candidate fails, and the prediction is what is to be expected if a failure is in the last.
    """

    def __init__(
        self, space: SearchSpace, *, kind: str = "extra", trees: int = 200, share: float = 0.5, leaf: int = 1
    ) -> None:
        """`share` of the columns is looked at for each split; leaves have at least `leaf` candidates.

        Raises:
            PredictorError: an unknown kind, a share outside (0, 1], or a count below 1.
        """
        if kind not in KINDS:
            raise PredictorError(f"kind must be one of {', '.join(KINDS)}, but is {kind!r}")
        if not 0 < share <= 1:
            raise PredictorError(f"share must be above 0 and at most 1, but is {share}")
        check_counts(trees=trees, leaf=leaf)
        self._kind = kind
        self._options = {"n_estimators": trees, "max_features": share, "min_samples_leaf": leaf}
        self._encoder = Encoder(space)
        self._trees: list[Any] = []  # scikit-learn has no types
        self._feasibility = Feasibility(0.0)
        self._is_fitted = False

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Learns the places of the trials; with fewer than four candidates it stays constant.

        Raises:
            ObjectiveError: the metric is not a known one, so that its direction is unknown.
        """
        objective = Objective(metric)
        record = places(measured(trials, objective), objective)
        seed = int(rng.integers(2**31))
        self._feasibility = Feasibility.learned(trials, objective, self._encoder, seed=seed)
        self._is_fitted = True
        self._trees = []
        if record.teach:
            forest = KINDS[self._kind](**self._options, random_state=seed, n_jobs=1)
            forest.fit(self._encoder.learned(record.candidates).astype(np.float32), record.place)
            self._trees = list(forest.estimators_)
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """Places between 0 and 1; the spread is the standard deviation over trees, and leaves noise of trials out.

        Raises:
            PredictorError: `fit` was never called.
        """
        check_fitted(is_fitted=self._is_fitted)
        if not suggestions or not (self._trees or self._feasibility.rate):
            return Prediction(np.full(len(suggestions), 0.5), np.zeros(len(suggestions)))
        codes = self._encoder.passing(one.candidate for one in suggestions)
        return self._feasibility.mixed(self._hoped(codes), codes, worst=1.0)

    def _hoped(self, codes: NDArray[np.float64]) -> Prediction:
        """Places of what does not fail."""
        if not self._trees:
            return Prediction(np.full(len(codes), 0.5), np.zeros(len(codes)))
        rows = codes.astype(np.float32)
        # trees are asked without scikit-learn's checks of every call, which cost more than their answers
        each: NDArray[np.float64] = np.stack([tree.tree_.predict(rows)[:, 0] for tree in self._trees])
        return Prediction(each.mean(axis=0), each.std(axis=0))
