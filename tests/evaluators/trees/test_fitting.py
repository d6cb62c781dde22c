from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from evaluators import EvaluatorError
from evaluators._trees.columns import Columns, Matrix
from evaluators._trees.fitting import Grown, Vector, fitted_logits, logits_of_text
from evaluators._trees.settings import TreeSettings


def _planted(rows: int, seed: int) -> tuple[Matrix, Vector, NDArray[np.float32]]:
    """A category of four values, one of which is clicked on, and noise; with the true logits and labels."""
    rng = np.random.default_rng(seed)
    columns = np.stack([rng.integers(0, 4, rows), rng.standard_normal(rows)], axis=1).astype(np.float32)
    logits = np.where(columns[:, 0] == 2, 2.0, -1.0)
    return columns, logits, (rng.random(rows) < 1 / (1 + np.exp(-logits))).astype(np.float32)


def _fit(settings: TreeSettings, seed: int = 1) -> tuple[Vector, Grown]:
    train, _, labels = _planted(3000, 1)
    return fitted_logits(Columns(train, _planted(2000, 2)[0], (0,)), labels, settings, seed=seed, threads=1)


def _loss(logits: Vector, labels: NDArray[np.float32]) -> float:
    return float((np.logaddexp(0.0, logits) - labels * logits).mean())


def test_a_planted_category_is_predicted_nearly_as_well_as_its_true_logits_would() -> None:
    _, truth, labels = _planted(2000, 2)
    found, base = _fit(TreeSettings())[0], np.full(2000, np.log(labels.mean() / (1 - labels.mean())))
    least, most = _loss(truth, labels), _loss(base, labels)
    assert _loss(found, labels) - least < 0.1 * (most - least)


def test_equal_seeds_give_equal_trees_and_others_do_not() -> None:
    first, again, other = (_fit(TreeSettings(), seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_growing_stops_where_later_rows_gain_no_more() -> None:
    _, grown = _fit(TreeSettings(patience=5))
    assert 1 <= grown.trees < TreeSettings().max_rounds
    assert grown.leaves >= 2 * grown.trees - 1


def test_trees_read_from_their_text_give_the_same_logits() -> None:
    logits, grown = _fit(TreeSettings(patience=5))
    assert np.array_equal(logits_of_text(grown.text, _planted(2000, 2)[0], threads=1), logits)


def test_damaged_trees_are_refused() -> None:
    with pytest.raises(EvaluatorError, match="trees are read from LightGBM's text, but it cannot be used"):
        logits_of_text("tree\nversion=v4\n", _planted(10, 2)[0], threads=1)
