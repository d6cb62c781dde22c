"""One rank alone: what each kind does without others is torch's own embedding under torch's own optimizer."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import nn

from evaluators._distributed.rules import RowRule
from evaluators._distributed.sharding import Rule, Sharding
from evaluators._distributed.tables import ShardedTable, Wire, sharded
from evaluators._distributed.world import Group

PARTS = (3, 5, 2)
RATE = 0.1
KNOWN: dict[Rule, Callable[..., torch.optim.Optimizer]] = {
    Rule.SGD: torch.optim.SGD,
    Rule.ADAGRAD: torch.optim.Adagrad,
    Rule.SPARSE_ADAM: torch.optim.SparseAdam,
}


def _start() -> torch.Tensor:
    return torch.randn(sum(PARTS), 6, generator=torch.Generator().manual_seed(1))


def _table(kind: Sharding, *, rule: RowRule | None = None, wire: Wire | None = None) -> ShardedTable:
    return sharded(_start(), PARTS, kind, Group(), wire or Wire(), rule or RowRule(rate=RATE))


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
    torch.testing.assert_close(table.whole(), known.weight.detach(), rtol=1e-5, atol=1e-6)


def _moved(rule: RowRule, gradient: torch.Tensor) -> torch.Tensor:
    table = _table(Sharding.ROW, rule=rule)
    table.fetch(torch.tensor([[4]]))
    table.learn(gradient)
    return (_start() - table.whole())[4]


@pytest.mark.parametrize("rule", [Rule.ADAGRAD, Rule.ROWWISE_ADAGRAD, Rule.SPARSE_ADAM])
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
