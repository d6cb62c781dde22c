from __future__ import annotations

import numpy as np

from evaluators._training.supernet.axes import (
    Axis,
    Flattened,
    Joined,
    Known,
    flattened,
    met,
    mixed,
    places,
    split,
    told_apart,
)


def known(*labels: int) -> Known:
    return Known(len(labels), given=np.array(labels, np.uint64))


def test_a_free_axis_becomes_what_it_meets() -> None:
    free, other = Axis(2, "w"), known(7, 9)
    met(free, other)
    assert Joined(2, parts=(free,)).labels().tolist() == [7, 9]


def test_two_axes_that_are_known_to_differ_make_a_new_one() -> None:
    found = met(known(1, 2), known(3, 4), name="sum")
    assert found.labels().tolist() == Axis(2, "sum").labels().tolist()


def test_an_axis_that_is_met_by_what_is_made_of_it_stays_free() -> None:
    free = Axis(2, "w")
    met(free, Joined(2, parts=(free,)))
    assert free.bound is None


def test_splitting_and_flattening_again_is_the_axis_itself() -> None:
    whole = known(1, 2, 3, 4)
    assert flattened(split(whole, (2, 2))) is whole


def test_a_free_axis_that_is_split_has_a_label_for_each_pair() -> None:
    free = Axis(6, "w")
    tokens, dims = split(free, (2, 3))
    met(dims, known(0, 1, 2))
    wider = Axis(8, "w")
    met(split(wider, (2, 4))[1], known(0, 1, 2, 3))
    assert tokens.size == 2
    narrow, wide = (one.bound.labels(named=False) for one in (free, wider) if one.bound is not None)
    assert narrow.tolist() == wide.reshape(2, 4)[:, :3].ravel().tolist()


def test_labels_of_a_flattened_axis_do_not_depend_on_what_else_there_is() -> None:
    short = Flattened(4, parts=(known(5, 6), known(0, 1))).labels()
    long = Flattened(6, parts=(known(4, 5, 6), known(0, 1))).labels()
    assert short.tolist() == long[2:].tolist()


def test_equal_labels_are_told_apart_by_how_often_they_came() -> None:
    found = told_apart(np.array([3, 5, 3, 3], np.uint64))
    assert len(set(found.tolist())) == 4
    assert found[:2].tolist() == [3, 5]
    assert found[2] == mixed(np.uint64(3), np.array([1], np.uint64))[0]


def test_a_new_label_that_is_there_already_is_told_apart_too() -> None:
    second = int(mixed(np.uint64(3), np.array([1], np.uint64))[0])
    assert len(set(told_apart(np.array([3, second, 3], np.uint64)).tolist())) == 3


def test_places_count_from_zero() -> None:
    assert places(3).tolist() == [0, 1, 2]
