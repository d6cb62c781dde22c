"""Estimates with their values without each block: against the mean's closed form and by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from evaluators import EvaluatorError
from evaluators._training.jackknife import Estimate, block_starts, block_sums, spread, without_each_block


def test_blocks_cover_all_values_once() -> None:
    values = np.random.default_rng(1).normal(size=1234)
    assert len(block_sums(values, 50)) == 50
    assert block_sums(values, 50).sum() == pytest.approx(values.sum())
    assert np.diff(block_starts(1234, 50)).min() >= 24


def test_fewer_values_than_blocks_are_a_block_each() -> None:
    assert block_sums(np.array([1.0, 2.0, 4.0]), 50).tolist() == [1.0, 2.0, 4.0]
    assert without_each_block(np.array([1.0, 2.0, 4.0])).tolist() == [6.0, 5.0, 3.0]


def test_the_spread_of_a_mean_without_each_value_is_its_standard_error() -> None:
    values = np.random.default_rng(2).normal(size=40)
    assert spread(without_each_block(values) / 39) == pytest.approx(values.std(ddof=1) / math.sqrt(40))


def test_what_both_owe_to_the_same_block_drops_out_of_a_difference() -> None:
    shared = np.array([1.0, 5.0, 2.0])
    difference = Estimate(3.0, shared + 0.5) - Estimate(1.0, shared)
    assert (difference.metric().value, difference.metric().stderr) == (2.0, 0.0)


def test_a_difference_to_an_estimate_without_error_has_none() -> None:
    assert (Estimate(3.0, np.ones(2)) - Estimate(1.0, None)).metric().stderr is None


def test_estimates_over_other_blocks_are_refused() -> None:
    with pytest.raises(EvaluatorError, match="paired estimates need the same blocks, but have 2 and 3"):
        Estimate(1.0, np.ones(2)) - Estimate(1.0, np.ones(3))
