"""The bilinear fusion head by head."""

import pytest
import torch

from searchspaces import Architecture, ArchitectureError, Cost, Dense, Node, Options
from searchspaces.blocks.bilinear_fusion import BilinearFusion
from searchspaces.build import build
from tests.searchspaces.graphs import schema

PORTS = ["first", "second"]


def test_each_head_is_a_bilinear_form_of_its_shares() -> None:
    first, second = torch.randn(5, 4), torch.randn(5, 6)
    block = BilinearFusion([Dense(4), Dense(6)], Options(ports=PORTS, heads=2))
    expected = block.first(first) + block.second(second)
    for head in range(2):
        weight = block.pairs.flatten()[6 * head : 6 * head + 6].view(2, 3)
        one, other = first[:, 2 * head : 2 * head + 2], second[:, 3 * head : 3 * head + 3]
        expected = expected + torch.einsum("bi,ij,bj->b", one, weight, other).unsqueeze(1)
    assert torch.allclose(block(first, second), expected, atol=1e-5)


def test_the_cost_is_that_of_the_paper() -> None:
    known = BilinearFusion.cost([Dense(4), Dense(6)], Options(ports=PORTS, heads=2))
    assert known == Cost(parameters=5 + 7 + 4 * 6 // 2, macs=4 + 6 + 12)


def test_heads_divide_both_widths() -> None:
    message = "'heads' of block 'bilinear_fusion' must divide both widths, but 4 does not divide 4 and 6"
    with pytest.raises(ArchitectureError, match=message):
        BilinearFusion.output([Dense(4), Dense(6)], Options(ports=PORTS, heads=4))


def test_it_may_be_the_output_of_a_lowered_model() -> None:
    nodes = (Node("numeric"), Node("mlp", (0,), Options(width=4)), Node("mlp", (0,), Options(width=2)))
    fusion = Node("bilinear_fusion", (1, 2), Options(ports=PORTS))
    model = build(Architecture((*nodes, fusion)), schema(), seed=1)
    model.lower(torch.bfloat16)
    logits = model(torch.randn(3, 3), torch.zeros(3, 4, dtype=torch.int32))
    assert logits.dtype == torch.float32
    assert logits.shape == (3,)
