"""Randomised trees on what a graph-kernel model sees: they find thresholds and interactions that no kernel shares.

Geurts, Ernst and Wehenkel 2006, Extremely randomized trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from predictors._wl_observations import Observations
from predictors._wl_views import View

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

TREES = 100
LEAF = 2
COLUMNS_TRIED = 0.5
MISSING = -1.0


class Trees:
    """Extremely randomised regression trees over code, counts, settings, costs and the place of the rung."""

    def __init__(self, views: Sequence[View], seen: Observations, *, seed: int) -> None:
        """Fits at once; observations weigh by the inverse of their noise."""
        # Imported here: scikit-learn takes a second to load, and a model without trees does without it.
        from sklearn.ensemble import ExtraTreesRegressor

        self._counts = sorted({name for view in views for name in view.counts})
        self._settings = sorted({name for view in views for name in view.settings})
        self._costs = sorted({name for view in views for name in view.costs})
        self._length = max((len(view.code) for view in views if view.code is not None), default=0)
        self._model: Any = ExtraTreesRegressor(
            TREES,
            min_samples_leaf=LEAF,
            max_features=COLUMNS_TRIED,
            bootstrap=True,
            oob_score=True,
            random_state=seed,
            n_jobs=1,
        )
        self._model.fit(self._rows(views, seen.rungs), seen.targets, sample_weight=1.0 / seen.noise)
        self.held_out: Vector = self._model.oob_prediction_
        """Predictions of the training targets by the trees that did not see them, [n]."""

    def predict(self, views: Sequence[View], rungs: NDArray[np.int64]) -> Vector:
        """Predicted targets, [n]."""
        found: Vector = np.asarray(self._model.predict(self._rows(views, rungs)), dtype=np.float64)
        return found

    def _rows(self, views: Sequence[View], rungs: NDArray[np.int64]) -> Matrix:
        rows = [
            [
                *(np.full(self._length, MISSING) if view.code is None else view.code),
                *(view.counts.get(name, 0.0) for name in self._counts),
                *(view.settings.get(name, 0.0) for name in self._settings),
                *(view.costs.get(name, MISSING) for name in self._costs),
                rung,
            ]
            for view, rung in zip(views, rungs, strict=True)
        ]
        return np.array(rows, dtype=np.float64)
