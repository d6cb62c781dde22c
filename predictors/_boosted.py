"""Boosted trees that take a share of another model's prediction, as far as what was held out speaks for it.

Source of boosting: Friedman 2001, Greedy Function Approximation: A Gradient Boosting Machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import lightgbm
import numpy as np
from numpy.typing import NDArray

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]

FEWEST = 16
"""Records below which trees say nothing that one could check."""
FOLDS = 4
PULL = 10.0
"""Records that speak against the trees before any does."""


@dataclass(frozen=True, eq=False)
class Boosted:
    """Fitted trees and the share of the mean that is theirs."""

    share: float
    _trees: lightgbm.Booster

    @classmethod
    def beside(
        cls, codes: Matrix, targets: Vector, errors: Vector, groups: Sequence[str], *, rng: np.random.Generator
    ) -> Self | None:
        """Trees on the targets `[n]`, beside a model with these leave-one-out `errors` (target less prediction).

        The share minimises the squared error of what was held out, with a pull to none; records of one group are held
        out together. None where trees get no share.
        """
        if len(targets) < FEWEST:
            return None
        seeds = rng.integers(2**31, size=FOLDS + 1)
        apart = _held_out(codes, targets, groups, seeds) - (targets - errors)
        size = float(np.square(apart).sum())
        pull = PULL * size / len(targets)
        share = float(np.clip((apart @ errors) / (size + pull), 0.0, 1.0)) if size > 0 else 0.0
        return cls(share, _fitted(codes, targets, int(seeds[-1]))) if share > 0 else None

    def mixed(self, mean: Vector, codes: Matrix) -> Vector:
        """The mean `[m]` with the trees' share in it."""
        found: Vector = (1.0 - self.share) * mean + self.share * _said(self._trees, codes)
        return found


def _held_out(codes: Matrix, targets: Vector, groups: Sequence[str], seeds: NDArray[np.int64]) -> Vector:
    names = list(dict.fromkeys(groups))
    folds = dict(zip(names, np.random.default_rng(int(seeds[0])).permutation(len(names)) % FOLDS, strict=True))
    fold_of = np.array([folds[name] for name in groups])
    found = np.full(len(targets), float(targets.mean()))
    for fold in range(FOLDS):
        held = fold_of == fold
        if held.any() and not held.all():
            found[held] = _said(_fitted(codes[~held], targets[~held], int(seeds[fold])), codes[held])
    return found


def _fitted(codes: Matrix, targets: Vector, seed: int) -> lightgbm.Booster:
    options = {
        "objective": "l2",
        "max_depth": 3,
        "learning_rate": 0.1,
        "min_data_in_leaf": 3,
        "bagging_fraction": 0.8,
        "bagging_freq": 1,
        "seed": seed,
        "deterministic": True,
        "force_row_wise": True,
        "num_threads": 1,
        "verbosity": -1,
    }
    return lightgbm.train(options, lightgbm.Dataset(codes, targets, params={"verbosity": -1}), num_boost_round=80)


def _said(trees: lightgbm.Booster, codes: Matrix) -> Vector:
    return np.asarray(trees.predict(codes, num_threads=1), dtype=np.float64)
