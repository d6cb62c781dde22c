"""The benchmark's arithmetic against hand-made tables and scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from automl.bench.evaluator.figures import Difference, Work, embedding_bytes, per_hour, per_processor_hour


def test_a_difference_is_in_per_cent_of_the_other() -> None:
    found = Difference.of([1.01, 0.99], [1.0, 1.0])
    assert found.pairs == 2
    assert found.mean == pytest.approx(0.0, abs=1e-12)


def test_the_bound_is_that_of_a_one_sided_test() -> None:
    rng = np.random.default_rng(1)
    theirs = 0.8 + 0.01 * rng.standard_normal(40)
    ours = theirs * (1.0 + 0.001 * rng.standard_normal(40))
    found = Difference.of(ours.tolist(), theirs.tolist())
    relative = 100.0 * (ours - theirs) / theirs
    expected = stats.ttest_1samp(relative, 0.0, alternative="less").confidence_interval(0.95).high
    assert found.bound == pytest.approx(expected)


def test_one_pair_has_no_bound() -> None:
    assert Difference.of([1.0], [0.5]) == Difference(1, 100.0, math.inf)


def test_trials_an_hour_count_from_the_first_start_to_the_last_end() -> None:
    assert per_hour(10, [(5.0, 10.0), (4.0, 14.0)]) == 3600.0


def test_on_idle_cores_the_slowest_process_says_when_all_is_done() -> None:
    assert per_processor_hour(16, [4.0, 8.0]) == 7200.0


def test_the_limit_is_the_slower_of_products_and_copies() -> None:
    work = Work(flops=2e6, bytes=1e3)
    assert work.limit(1e11, 1e12) == pytest.approx(50_000)
    assert work.limit(1e11, 1e7) == pytest.approx(10_000)


def test_embeddings_move_rows_with_their_state_twice_and_each_look_up_once() -> None:
    rows = 10 * (4 * 3 + 4) * 2  # ten rows of three numbers and one of state, read and written
    assert embedding_bytes(touched=10, lookups=100, dim=3, value_bytes=2) == rows + 100 * 3 * 2
