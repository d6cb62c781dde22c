"""Winners and fronts are declared by what was observed and judged by what is true."""

from __future__ import annotations

import numpy as np
import pytest

from automl.bench.race.scores import declared_front, score
from tests.automl.bench.race.grounds import ground, run_of

ONE = ground([[0.3], [0.1], [0.2], [0.4]], [0.5])
TWO = ground([[0.3, 1.0], [0.1, 3.0], [0.2, 2.0], [0.4, 2.5]], [0.5, 4.0])


def test_regret_is_that_of_the_best_observed_mean() -> None:
    found = score(ONE, run_of([0, 1, 2], [0.25, 0.22, 0.05]), trials=3)
    assert found.regret == pytest.approx([0.2, 0.0, 0.1])  # candidate 2 only looks best


def test_the_gap_is_to_the_best_that_was_tried() -> None:
    found = score(ONE, run_of([2, 0, 1], [0.2, 0.1, 0.3]), trials=3)
    assert found.gap == pytest.approx([0.0, 0.1, 0.2])


def test_replicates_are_averaged() -> None:
    found = score(ONE, run_of([2, 0, 0], [0.20, 0.10, 0.34]), trials=3)
    assert found.regret == pytest.approx([0.1, 0.2, 0.1])


def test_failures_are_never_declared() -> None:
    found = score(ONE, run_of([1, 2], [None, 0.2]), trials=2)
    assert found.regret == pytest.approx([0.3, 0.1])


def test_a_run_that_ends_early_keeps_what_it_has() -> None:
    assert score(ONE, run_of([0, 1], [0.3, 0.1]), trials=4).regret == pytest.approx([0.2, 0, 0, 0])


def test_the_front_lacks_what_its_true_volume_lacks() -> None:
    whole = 0.2 * 3.0 + 0.1 * 2.0 + 0.1 * 1.0  # of candidates 0, 2 and 1
    found = score(TWO, run_of([0, 1, 2], [0.3, 0.1, 0.2]), trials=3)
    assert TWO.volume == pytest.approx(whole)
    assert found.volume == pytest.approx([1 - 0.6 / whole, 1 - 0.8 / whole, 0.0])


def test_what_only_looks_good_drives_true_members_off_the_front() -> None:
    found = score(TWO, run_of([2, 0], [0.2, 0.05]), trials=2)  # 0 is cheaper and looks better, so 2 is not declared
    assert found.volume[1] == pytest.approx(1 - 0.6 / TWO.volume)
    assert found.tried == pytest.approx(1 - 0.8 / TWO.volume)  # what declaring has lost is not lost here
    assert score(ONE, run_of([2, 0], [0.2, 0.05]), trials=2).tried is None


@pytest.mark.parametrize("objectives", [2, 3])
def test_a_declared_front_is_what_nothing_beats(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    truth = rng.random((30, objectives)).round(1)
    some = ground(truth.tolist(), [1.0] * objectives)
    means = {at: float(value) for at, value in enumerate(rng.random(30).round(1))}
    points = np.column_stack([list(means.values()), truth[:, 1:]])
    front = {tuple(points[at]) for at in declared_front(some, means)}
    beaten = [any((other <= one).all() and (other < one).any() for other in points) for one in points]
    assert front == {tuple(one) for one, is_beaten in zip(points, beaten, strict=True) if not is_beaten}
    assert len(declared_front(some, means)) == len(front)


def test_the_judge_declares_too() -> None:
    found = score(TWO, run_of([0, 1], [0.1, 0.3], judged=((0, 0.3), (1, 0.1))), trials=2)
    assert found.judged == pytest.approx((0.0, 1 - 0.8 / TWO.volume))
    assert found.regret[-1] == pytest.approx(0.2)
