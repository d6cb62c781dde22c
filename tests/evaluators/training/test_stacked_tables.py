"""Stacked tables: own weights for each column, AdaGrad by hand, nothing changed by company."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evaluators._training.lookup import Lookup
from evaluators._training.stacked_tables import Column, StackedTables

CPU = torch.device("cpu")
IDS = torch.tensor([[1, 2], [2, 2]])


def _column(member: int, dim: int, *, rate: float = 0.1, decay: float = 0.0) -> Column:
    table = nn.Embedding(4, dim)
    nn.init.normal_(table.weight, generator=torch.Generator().manual_seed(member))
    return Column(member, 0, "table", table, rate, decay)


def _step(stack: StackedTables, gradients: list[Tensor], dtype: torch.dtype = torch.float32) -> None:
    lookup = Lookup.of(IDS, 4, CPU)
    for leaf, gradient in zip(stack.take(lookup), gradients, strict=True):
        assert leaf.dtype == dtype
        torch.autograd.backward((lookup.take(leaf) * gradient).sum())
    stack.update(lookup)


def _weights(columns: list[Column]) -> list[Tensor]:
    return [one.table.weight.detach().clone() for one in columns]


def test_an_update_is_that_of_row_wise_adagrad_written_out() -> None:
    column = _column(0, 2)
    before = column.table.weight.detach().clone()
    stack = StackedTables([column], dtype=torch.float32)
    gradient = torch.tensor([[[1.0, 2.0], [0.5, 0.0]], [[0.5, 1.0], [1.0, 1.0]]])
    _step(stack, [gradient])
    stack.write_back(averaged=False)
    expected = before.clone()
    for row, total in ((1, torch.tensor([1.0, 2.0])), (2, torch.tensor([2.0, 2.0]))):
        expected[row] -= 0.1 * total / (total.square().mean().sqrt() + 1e-8)
    assert torch.allclose(column.table.weight, expected)
    assert torch.equal(column.table.weight[[0, 3]], before[[0, 3]])  # no batch has touched them


def test_steps_shrink_with_what_a_row_has_seen() -> None:
    column = _column(0, 1)
    before = column.table.weight.detach().clone()
    stack = StackedTables([column], dtype=torch.float32)
    for _ in range(2):
        _step(stack, [torch.ones(2, 2, 1)])
    stack.write_back(averaged=False)
    assert torch.allclose(before[1] - column.table.weight[1], torch.tensor(0.1 * (1.0 + 0.5**0.5)))


def test_decay_is_due_where_a_row_is_touched() -> None:
    column = _column(0, 2, rate=0.5, decay=0.2)
    before = column.table.weight.detach().clone()
    stack = StackedTables([column], dtype=torch.float32)
    _step(stack, [torch.zeros(2, 2, 2)])
    stack.write_back(averaged=False)
    assert torch.allclose(column.table.weight[1:3], 0.9 * before[1:3])
    assert torch.equal(column.table.weight[[0, 3]], before[[0, 3]])


def test_company_and_its_leaving_change_nothing_bit_for_bit() -> None:
    for dtype in (torch.float32, torch.bfloat16):
        gradients = [torch.randn(2, 2, dim, generator=torch.Generator().manual_seed(dim)) for dim in (3, 2, 3)]
        alone = [_column(2, 3)]
        stack = StackedTables(alone, dtype=dtype)
        together = [_column(0, 3), _column(1, 2), _column(2, 3)]
        wide: StackedTables | None = StackedTables(together, dtype=dtype)
        for step in range(4):
            assert wide is not None
            if step == 2:
                wide = wide.without(0)
                assert wide is not None
            _step(stack, gradients[2:], dtype)
            _step(wide, gradients[-len(wide.columns) :], dtype)
            stack.add_to_average(0.5)
            wide.add_to_average(0.5)
        assert wide is not None
        for averaged in (False, True):
            stack.write_back(averaged=averaged)
            wide.write_back(averaged=averaged)
            assert torch.equal(_weights(alone)[0], _weights(together)[2])


def test_a_member_that_leaves_has_its_last_weights_and_the_last_one_leaves_nothing() -> None:
    column = _column(0, 2)
    stack = StackedTables([column], dtype=torch.float32)
    _step(stack, [torch.ones(2, 2, 2)])
    assert stack.without(1) is stack
    weight = stack.weight.clone()
    assert stack.without(0) is None
    assert torch.equal(column.table.weight, weight)
