"""Grows the trees: LightGBM, the same trees for equal seeds whatever else the machine does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np
from numpy.typing import NDArray

from evaluators._errors import EvaluatorError
from evaluators._trees.columns import Columns, Matrix
from evaluators._trees.settings import TreeSettings

STOPPING_SHARE = 0.1
"""The end of the training rows that early stopping looks at, first without growing on it."""

Vector = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Grown:
    """Grown trees: LightGBM's own text of them, which any of its releases reads, and how many there are."""

    text: str
    trees: int
    leaves: int

    @property
    def params(self) -> int:
        """Splits and leaves."""
        return 2 * self.leaves - self.trees


def fitted_logits(
    columns: Columns, labels: NDArray[np.float32], settings: TreeSettings, *, seed: int, threads: int
) -> tuple[Vector, Grown]:
    """Logits of the rows to predict, [rows], with the trees that gave them.

    How many trees is chosen on the last tenth of the training rows; that many are then grown on all of them, as the
    latest rows are the most like those to predict.
    """
    cut = min(max(1, round((1.0 - STOPPING_SHARE) * len(labels))), len(labels) - 1)
    known = _dataset(columns.train[:cut], labels[:cut], columns)
    later = _dataset(columns.train[cut:], labels[cut:], columns, reference=known)
    parameters = _parameters(settings, seed=seed, threads=threads)
    first = lightgbm.train(
        parameters,
        known,
        num_boost_round=settings.max_rounds,
        valid_sets=[later],
        callbacks=[lightgbm.early_stopping(settings.patience, verbose=False)],
    )
    rounds = max(1, first.best_iteration)
    whole = lightgbm.train(parameters, _dataset(columns.train, labels, columns), num_boost_round=rounds)
    grown = Grown(whole.model_to_string(), whole.num_trees(), _leaves(whole))
    return _logits(whole, columns.valid, threads), grown


def logits_of_text(text: str, rows: Matrix, *, threads: int) -> Vector:
    """Logits [rows] by trees in LightGBM's text, the same as by the trees that were grown.

    Raises:
        EvaluatorError: the text is damaged, or its trees split on other columns.
    """
    try:
        return _logits(lightgbm.Booster(model_str=text), rows, threads)
    except lightgbm.basic.LightGBMError as error:
        raise EvaluatorError(f"trees are read from LightGBM's text, but it cannot be used ({error})") from error


def _logits(booster: lightgbm.Booster, rows: Matrix, threads: int) -> Vector:
    return np.asarray(booster.predict(rows, raw_score=True, num_threads=threads), dtype=np.float64)


def _parameters(settings: TreeSettings, *, seed: int, threads: int) -> dict[str, Any]:
    return {
        "objective": "binary",
        "metric": "binary_logloss",
        "learning_rate": settings.learning_rate,
        "num_leaves": settings.num_leaves,
        "min_data_in_leaf": settings.min_data_in_leaf,
        "feature_fraction": settings.feature_fraction,
        "bagging_fraction": settings.bagging_fraction,
        "bagging_freq": 1,
        "lambda_l1": settings.lambda_l1,
        "lambda_l2": settings.lambda_l2,
        "seed": seed % 2**31,
        "deterministic": True,
        "force_row_wise": True,  # else LightGBM times both ways, and the sums depend on which one it takes
        "num_threads": threads,
        "verbosity": -1,
    }


def _dataset(
    rows: Matrix, labels: NDArray[np.float32], columns: Columns, *, reference: lightgbm.Dataset | None = None
) -> lightgbm.Dataset:
    return lightgbm.Dataset(
        rows,
        labels,
        categorical_feature=list(columns.categories),
        reference=reference,
        params={"verbosity": -1},
        free_raw_data=True,
    )


def _leaves(booster: lightgbm.Booster) -> int:
    return sum(int(tree["num_leaves"]) for tree in booster.dump_model()["tree_info"])
