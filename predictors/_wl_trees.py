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
Rows = NDArray[np.float32]

TREES = 50
LEAF = 2
COLUMNS_TRIED = 0.5
MISSING = -1.0


class Trees:
    """Extremely randomised regression trees over code, counts, settings, costs and the place of the rung."""

    def __init__(self, views: Sequence[View], seen: Observations, *, seed: int) -> None:
        """Fits at once; observations weigh by the inverse of their noise."""
        # Imported here: scikit-learn takes a second to load, and a model without trees does without it. Its forest
        # spends three quarters of its time beside the trees where there are a hundred rows: these are its trees alone.
        from sklearn.tree import ExtraTreeRegressor

        self._counts = sorted({name for view in views for name in view.counts})
        self._settings = sorted({name for view in views for name in view.settings})
        self._costs = sorted({name for view in views for name in view.costs})
        self._length = max((len(view.code) for view in views if view.code is not None), default=0)
        rows = self._rows(views, seen.rungs)
        rng = np.random.default_rng(seed)
        self._trees: list[Any] = []
        sums, times = np.zeros(len(rows)), np.zeros(len(rows))
        for _ in range(TREES):
            drawn = rng.integers(len(rows), size=len(rows))
            tree = ExtraTreeRegressor(
                min_samples_leaf=LEAF, max_features=COLUMNS_TRIED, random_state=int(rng.integers(2**31))
            )
            tree.fit(rows[drawn], seen.targets[drawn], sample_weight=1.0 / seen.noise[drawn], check_input=False)
            out = np.setdiff1d(np.arange(len(rows)), drawn)
            sums[out] += tree.predict(rows[out], check_input=False) if len(out) else 0.0
            times[out] += 1
            self._trees.append(tree)
        self.held_out: Vector = np.where(times > 0, sums / np.maximum(times, 1), seen.targets.mean())
        """Predictions of the training targets by the trees that did not see them, [n]."""

    def predict(self, views: Sequence[View], rungs: NDArray[np.int64]) -> Vector:
        """Predicted targets, [n]."""
        rows = self._rows(views, rungs)
        found: Vector = np.mean([tree.predict(rows, check_input=False) for tree in self._trees], axis=0)
        return found

    def _rows(self, views: Sequence[View], rungs: NDArray[np.int64]) -> Rows:
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
        return np.array(rows, dtype=np.float32)  # what trees work on
