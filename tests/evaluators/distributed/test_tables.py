"""One rank alone: what each kind does without others is torch's own embedding under torch's own optimizer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from evaluators._distributed.rules import RowRule
from evaluators._distributed.sharding import Rule, Sharding
from evaluators._distributed.tables import Moving, ShardedTable, Wire, sharded, sharded_fields
from evaluators._distributed.world import Group

PARTS = (3, 5, 2)
RATE = 0.1
KNOWN: dict[Rule, Callable[..., torch.optim.Optimizer]] = {
    Rule.SGD: torch.optim.SGD,
    Rule.ADAGRAD: torch.optim.Adagrad,
    Rule.SPARSE_ADAM: torch.optim.SparseAdam,
    Rule.ADAM: torch.optim.Adam,
}


def _start() -> torch.Tensor:
    return torch.randn(sum(PARTS), 6, generator=torch.Generator().manual_seed(1))


def _table(kind: Sharding, *, rule: RowRule | None = None, wire: Wire | None = None) -> ShardedTable:
    return sharded(_start(), PARTS, kind, Group(), wire or Wire(), Moving(rule or RowRule(rate=RATE)))


@pytest.mark.parametrize("is_deduplicated", [False, True])
@pytest.mark.parametrize("kind", Sharding)
@pytest.mark.parametrize("rule", KNOWN)
def test_steps_are_those_of_torch_on_the_whole_table(kind: Sharding, rule: Rule, is_deduplicated: bool) -> None:
    table = _table(kind, rule=RowRule(rule, RATE), wire=Wire(is_deduplicated=is_deduplicated))
    known = nn.Embedding(sum(PARTS), 6, _weight=_start(), sparse=rule is Rule.SPARSE_ADAM)
    optimizer = KNOWN[rule](known.parameters(), lr=RATE)
    rng = torch.Generator().manual_seed(2)
    for _ in range(4):
        rows = torch.randint(0, sum(PARTS), (3, 2), generator=rng)
        weights = torch.randn(3, 2, 6, generator=rng)
        assert torch.equal(table.fetch(rows), table.whole()[rows])
        table.fetch(rows)
        table.learn(weights)
        optimizer.zero_grad()
        (known(rows) * weights).sum().backward()
        optimizer.step()
    torch.testing.assert_close(table.whole(), known.weight.detach(), rtol=1e-5, atol=5e-6)


def _moved(rule: RowRule, gradient: torch.Tensor) -> torch.Tensor:
    table = _table(Sharding.ROW, rule=rule)
    table.fetch(torch.tensor([[4]]))
    table.learn(gradient)
    return (_start() - table.whole())[4]


@pytest.mark.parametrize("rule", [Rule.ADAGRAD, Rule.ROWWISE_ADAGRAD, Rule.SPARSE_ADAM, Rule.ADAM])
def test_a_moment_scale_makes_steps_longer_by_its_root(rule: Rule) -> None:
    ones = torch.ones(1, 1, 6)
    torch.testing.assert_close(_moved(RowRule(rule, RATE, 4.0), ones), 2 * _moved(RowRule(rule, RATE), ones))


def test_one_sum_of_squares_a_row_keeps_the_direction_of_the_gradient() -> None:
    gradient = torch.tensor([[[3.0, 4.0, 0.0, 0.0, 0.0, 0.0]]])
    moved = _moved(RowRule(Rule.ROWWISE_ADAGRAD, RATE), gradient)
    torch.testing.assert_close(moved, RATE * gradient[0, 0] / (25 / 6) ** 0.5, rtol=1e-4, atol=1e-6)


def test_what_is_sent_is_rounded_to_its_type() -> None:
    table = _table(Sharding.TABLE, wire=Wire(forward=torch.bfloat16))
    rows = torch.tensor([[0, 9]])
    assert torch.equal(table.fetch(rows), _start()[rows].bfloat16().float())


@pytest.mark.parametrize("rule", Rule)
@pytest.mark.parametrize("kind", Sharding)
def test_tables_of_single_fields_are_parts_of_the_one(kind: Sharding, rule: Rule) -> None:
    moving = Moving(RowRule(rule, RATE))
    one, several = (cut(_start(), PARTS, kind, Group(), Wire(), moving) for cut in (sharded, sharded_fields))
    rng = torch.Generator().manual_seed(2)
    for _ in range(3):
        columns = [torch.randint(0, rows, (4, 1), generator=rng) + sum(PARTS[:at]) for at, rows in enumerate(PARTS)]
        rows, gradient = torch.cat(columns, 1), torch.randn(4, 3, 6, generator=rng)
        assert torch.equal(one.fetch(rows), several.fetch(rows))
        one.learn(gradient)
        several.learn(gradient)
    torch.testing.assert_close(one.whole(), several.whole())
    assert not torch.equal(one.whole(), _start())


@pytest.mark.parametrize("is_int8", [False, True])
@pytest.mark.parametrize("rule", [Rule.ROWWISE_ADAGRAD, Rule.ADAGRAD])
def test_models_side_by_side_do_not_see_each_other(rule: Rule, is_int8: bool) -> None:
    """One of them beside a model with rows and gradients that are a hundred times as large."""
    rows, gradient = torch.tensor([[0, 5], [5, 9]]), torch.randn(2, 2, 6, generator=torch.Generator().manual_seed(3))
    alone = sharded(_start(), PARTS, Sharding.ROW, Group(), Wire(), Moving(RowRule(rule, RATE), is_int8))
    both = torch.cat([_start(), 100 * _start()], 1)
    beside = sharded(both, PARTS, Sharding.ROW, Group(), Wire(), Moving(RowRule(rule, RATE, members=2), is_int8))
    for table, given in ((alone, gradient), (beside, torch.cat([gradient, 100 * gradient], 2))):
        table.fetch(rows)
        table.learn(given)
    torch.testing.assert_close(beside.whole()[:, :6], alone.whole(), atol=2e-2 if is_int8 else 1e-6, rtol=0)
