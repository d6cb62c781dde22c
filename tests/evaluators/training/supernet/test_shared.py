from __future__ import annotations

import numpy as np
import pytest
import torch

from evaluators._training.supernet.gradients import Gradients, summed
from evaluators._training.supernet.shared import SIDE, Shared


def labels(*found: int) -> np.ndarray:
    return np.array(found, np.uint64)


def filled() -> Shared:
    shared = Shared.empty(2, torch.zeros(1))
    shared.put((labels(0, 1), labels(10, 20)), torch.tensor([[1.0, 2.0], [3.0, 4.0]]))
    return shared


def test_a_part_comes_back_in_any_order() -> None:
    assert filled().take((labels(1, 0), labels(20, 10))).tolist() == [[4.0, 3.0], [2.0, 1.0]]


def test_what_was_never_there_is_no_number() -> None:
    found = filled().take((labels(0, 5), labels(10, 30)))
    assert found[0, 0] == 1.0
    assert torch.isnan(found).tolist() == [[False, True], [True, True]]


def test_growing_keeps_what_was_there() -> None:
    shared = filled()
    shared.put((labels(0, 1, 2), labels(30)), torch.tensor([[5.0], [6.0], [7.0]]))
    assert shared.shape == (3, 3)
    assert shared.take((labels(0, 1), labels(10, 20, 30))).tolist() == [[1.0, 2.0, 5.0], [3.0, 4.0, 6.0]]
    assert torch.isnan(shared.take((labels(2), labels(10)))).all()


def test_many_scattered_places_are_found_as_few_are() -> None:
    shared, count = Shared.empty(1, torch.zeros(1)), 400
    order = np.random.default_rng(0).permutation(count).astype(np.uint64)
    shared.put((order,), torch.arange(count, dtype=torch.float32))
    chosen = np.arange(0, count, 3).astype(np.uint64)
    place = {int(label): at for at, label in enumerate(order)}
    assert shared.take((chosen,)).tolist() == [float(place[int(label)]) for label in chosen]
    shared.put((chosen,), torch.full((len(chosen),), -1.0))
    assert (shared.take(shared.labels) == -1.0).sum() == len(chosen)


def test_tiles_are_made_where_something_is_written_alone() -> None:
    shared, count = Shared.empty(2, torch.zeros(1)), 3 * SIDE
    rows = np.arange(count, dtype=np.uint64)
    for start in (0, SIDE, 2 * SIDE):
        own = rows[start : start + SIDE + 1]
        shared.put((own, own), torch.full((len(own), len(own)), float(start)))
    assert len(shared.tiles) == 7
    found = shared.take((rows, rows))
    across, down = [0, SIDE, SIDE, 2 * SIDE, -1], [0, SIDE - 1, SIDE, 2 * SIDE, -1]
    assert found[down, across].tolist() == [0.0, 0.0, SIDE, 2 * SIDE, 2 * SIDE]
    assert found[0, -1].isnan()


def test_a_step_crosses_the_border_of_tiles() -> None:
    shared, rows = Shared.empty(2, torch.zeros(1)), np.arange(SIDE + 2, dtype=np.uint64)
    shared.put((rows, labels(7)), torch.zeros(len(rows), 1))
    chosen = rows[::-2].copy()
    shared.learn((chosen, labels(7)), torch.ones(len(chosen), 1), rate=0.5, epsilon=0.0)
    assert shared.take((rows, labels(7)))[:, 0].tolist() == [0.0, -0.5] * (len(rows) // 2)


def test_a_step_moves_the_part_alone() -> None:
    shared = filled()
    shared.learn((labels(1), labels(10)), torch.tensor([[2.0]]), rate=0.5, epsilon=0.0)
    assert shared.take(shared.labels).tolist() == [[1.0, 2.0], [2.5, 4.0]]
    shared.learn((labels(1), labels(10)), torch.tensor([[2.0]]), rate=0.5, epsilon=0.0)
    assert np.isclose(float(shared.take(shared.labels)[1, 0]), 2.5 - 0.5 * 2.0 / np.sqrt(8.0))


def test_a_step_on_two_parts_leaves_out_where_they_cross() -> None:
    shared, first, last = Shared.empty(2, torch.zeros(1)), labels(0), labels(2 * SIDE)
    every = labels(*range(2 * SIDE + 1))
    shared.put((every, every), torch.zeros(len(every), len(every)))
    for key in ((0, 2), (2, 0)):
        del shared.tiles[key]
    joined, gradient = summed([((first, first), torch.ones(1, 1)), ((last, last), torch.ones(1, 1))])
    shared.learn(joined, gradient, rate=0.5, epsilon=1e-8)
    assert shared.take((first, first)).item() == shared.take((last, last)).item() == -0.5
    assert not {(0, 2), (2, 0)} & shared.tiles.keys()


def test_gradients_of_several_parts_add_up_where_they_overlap() -> None:
    one = ((labels(0, 1), labels(7)), torch.tensor([[1.0], [2.0]]))
    other = ((labels(1), labels(5, 7)), torch.tensor([[10.0, 20.0]]))
    (rows, columns), total = summed([one, other])
    assert (rows.tolist(), columns.tolist()) == ([0, 1], [5, 7])
    assert total.tolist() == [[0.0, 1.0], [10.0, 22.0]]


def gradients_of(**sizes: float) -> Gradients:
    return Gradients({key: [((labels(0),), torch.tensor([size]))] for key, size in sizes.items()})


def test_gradients_are_scaled_down_together() -> None:
    own = gradients_of(a=3.0, b=4.0)
    assert own.scale(most=1.0) == pytest.approx(0.2)
    assert own.scale(most=9.0) == 1.0
    assert gradients_of(a=0.0).scale(most=1.0) == 1.0


def test_a_gradient_that_is_not_finite_has_no_scale() -> None:
    assert gradients_of(a=float("nan")).scale(most=1.0) is None
    assert Gradients(tables={"t": [torch.tensor([float("inf")])]}).scale(most=1.0) is None


def test_gradients_of_candidates_add_up_each_by_its_scale() -> None:
    total = Gradients()
    for scale, size in ((0.5, 2.0), (1.0, 3.0)):
        own = gradients_of(a=size)
        own.tables["t"] = [torch.tensor([size])]
        total.add(own, scale=scale)
    assert total.summed()["a"][1].tolist() == [4.0]
    assert [one.tolist() for one in total.tables["t"]] == [[1.0], [3.0]]
