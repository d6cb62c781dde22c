"""Layer normalisation."""

import pytest
import torch

from searchspaces import Architecture, ArchitectureError, Node, Options
from searchspaces._norms import LayerNorm, check_normed, norm_cost
from searchspaces.build import build
from tests.searchspaces.graphs import schema


def test_it_computes_in_the_precision_of_its_parameters() -> None:
    norm, units = LayerNorm(64), 100.0 + torch.randn(8, 64)
    lowered = units.bfloat16()
    assert norm(lowered).dtype == torch.bfloat16
    assert torch.equal(norm(lowered), norm(lowered.float()).bfloat16())


def test_its_cost_is_a_gain_and_a_shift() -> None:
    assert norm_cost(64).parameters == sum(one.numel() for one in LayerNorm(64).parameters())


def test_one_unit_is_refused() -> None:
    check_normed("efc", 2)
    with pytest.raises(ArchitectureError, match="block 'efc' normalises over two units or more, but has one"):
        check_normed("efc", 1)


def test_in_a_model_it_starts_at_gain_one_and_shift_zero() -> None:
    nodes = (Node("full", (), Options(dim=4)), Node("efc", (0,), Options(tokens=3, layer_norm=True)))
    model = build(Architecture((*nodes, Node("logit", (1,)))), schema(numeric=0, categorical=2), seed=3)
    (norm,) = (one for one in model.modules() if isinstance(one, LayerNorm))
    assert norm.weight.tolist() == [1.0, 1.0, 1.0]
    assert norm.bias.tolist() == [0.0, 0.0, 0.0]
