"""Ranks that are kept up to date agree with sorting all points at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from automl.ranks import ParetoRanks


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    return all(a <= b for a, b in zip(one, other, strict=True)) and tuple(one) != tuple(other)


def _sorted_at_once(points: Sequence[Sequence[float]]) -> dict[int, int]:
    """The definition: peel off what nothing left beats, again and again."""
    ranks: dict[int, int] = {}
    left = dict(enumerate(points))
    rank = 0
    while left:
        rank += 1
        front = [n for n, point in left.items() if not any(_beats(other, point) for other in left.values())]
        ranks |= dict.fromkeys(front, rank)
        left = {n: point for n, point in left.items() if n not in front}
    return ranks


@pytest.mark.parametrize("objectives", [1, 2, 3])
@pytest.mark.parametrize("seed", range(5))
def test_ranks_are_those_of_sorting_all_points(objectives: int, seed: int) -> None:
    points = np.random.default_rng(seed).integers(0, 8, size=(60, objectives)).tolist()  # with ties and repeats
    ranks = ParetoRanks()
    for number, point in enumerate(points):
        ranks.add(number, point)
    assert ranks.ranks == _sorted_at_once(points)


def test_the_changes_told_add_up_to_the_ranks() -> None:
    points = np.random.default_rng(7).normal(size=(80, 2)).tolist()
    ranks = ParetoRanks()
    known: dict[int, int] = {}
    for number, point in enumerate(points):
        changed = ranks.add(number, point)
        assert number in changed
        assert all(known.get(one) != rank for one, rank in changed.items())
        known |= changed
    assert known == ranks.ranks


def test_the_front_is_what_nothing_beats() -> None:
    ranks = ParetoRanks()
    for number, point in enumerate([(3.0, 1.0), (2.0, 2.0), (3.0, 3.0), (1.0, 3.0)]):
        ranks.add(number, point)
    assert sorted(map(tuple, ranks.front.tolist())) == [(1.0, 3.0), (2.0, 2.0), (3.0, 1.0)]


def test_equal_points_share_a_rank() -> None:
    ranks = ParetoRanks()
    assert (ranks.add(0, (1, 1)), ranks.add(1, (1, 1)), ranks.add(2, (2, 2))) == ({0: 1}, {1: 1}, {2: 2})
