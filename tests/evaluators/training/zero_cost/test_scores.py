from __future__ import annotations

import math

import pytest
import torch

from evaluators._training.zero_cost.scores import gradient_norm, log_synflow
from searchspaces import Architecture, Node, Options
from searchspaces.build import RankingModel, build
from tests.evaluators.small_data import SCHEMA, mlp
from tests.evaluators.training.supernet.spaces import batch


def linear(*, norm: bool = False) -> RankingModel:
    """Two numbers, three units without activation, a logit."""
    middle = Node("mlp", (0,), Options(width=3, activation="none", **({"norm": "layer"} if norm else {})))
    return build(Architecture((Node("numeric"), middle, Node("logit", (1,)))), SCHEMA, seed=3)


def weights(model: RankingModel) -> tuple[torch.Tensor, torch.Tensor]:
    found = dict(model.named_parameters())
    names = [name for name in found if name.endswith("weight") and found[name].dim() == 2]
    return found[names[0]].detach().double(), found[names[1]].detach().double()


@pytest.mark.parametrize("norm", [False, True])
def test_the_flow_of_two_layers_is_twice_the_product_of_sizes(norm: bool) -> None:
    model = linear(norm=norm)
    first, second = (one.abs() for one in weights(model))
    # R = second |first| 1: linear in either layer, so that each contributes R; biases are 0
    expected = math.log(2.0 * float(second @ first @ torch.ones(2, dtype=torch.float64)))
    assert log_synflow(model) == pytest.approx(expected, abs=1e-12)


def test_where_nothing_flows_there_is_no_number() -> None:
    model = linear()
    with torch.no_grad():
        for one in model.parameters():
            one.zero_()
    assert log_synflow(model) is None


def test_the_gradient_norm_is_the_sum_of_the_lengths() -> None:
    model, found = linear(), batch(16)
    twin = linear()
    torch.nn.functional.binary_cross_entropy_with_logits(twin(found.numeric, found.categorical), found.label).backward()  # type: ignore[no-untyped-call]
    expected = sum(float(one.grad.norm()) for one in twin.parameters() if one.grad is not None)
    assert gradient_norm(model, found) == pytest.approx(expected, rel=1e-6)
    assert all(one.grad is None for one in model.parameters())


def test_tables_do_not_count_for_the_gradient_norm() -> None:
    architecture = mlp(8).architecture
    assert architecture is not None
    found, other = batch(16), batch(16)
    other.categorical.zero_()
    model = build(architecture, SCHEMA, seed=1)
    with torch.no_grad():
        for source in model.sources().values():
            for table in source.tables().values():
                table.module.weight.zero_()
    # all rows of the tables are 0, so that ids make a difference to gradients of the tables alone
    assert gradient_norm(model, found) == pytest.approx(gradient_norm(model, other), rel=1e-6)
