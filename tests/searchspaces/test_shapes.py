"""Shapes and costs."""

from searchspaces import Cost, Dense, Fields


def test_costs_add_up_by_part() -> None:
    assert Cost(1, 2, 3) + Cost(10, 20, 30) == Cost(11, 22, 33)


def test_flops_are_two_per_multiply_add() -> None:
    assert Cost(macs=21).flops == 42


def test_shapes_read_like_their_tensors() -> None:
    assert [str(Dense(3)), str(Fields(26, 16))] == ["[3]", "[26 x 16]"]
