"""The compressed interaction network against its double sum."""

import torch

from searchspaces import Cost, Dense, Fields, Options
from searchspaces.blocks.cin import CIN


def test_two_layers_follow_the_double_sum() -> None:
    block, tokens = CIN([Fields(3, 4)], Options(maps=[2, 5])), torch.randn(6, 3, 4)
    maps, pooled = tokens, []
    for layer in block.layers:
        weight, bias = layer.weight, layer.bias
        assert isinstance(weight, torch.Tensor)
        assert isinstance(bias, torch.Tensor)
        found = torch.zeros(6, len(bias), 4)
        for h in range(len(bias)):
            for i in range(maps.shape[1]):
                for j in range(3):
                    found[:, h] += weight[h, i * 3 + j] * maps[:, i] * tokens[:, j]
            found[:, h] += bias[h]
        maps = found
        pooled.append(found.sum(2))
    assert torch.allclose(block(tokens), torch.cat(pooled, dim=1), atol=1e-5)


def test_layers_with_unit_weights_raise_the_degree() -> None:
    # One token of one number, w = 1, b = 0: x, x^2, x^3.
    block = CIN([Fields(1, 1)], Options(maps=[1, 1]))
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.fill_(1.0 if parameter.dim() == 2 else 0.0)
    assert block(torch.tensor([[[2.0]], [[-3.0]]])).tolist() == [[4.0, 8.0], [9.0, -27.0]]


def test_every_map_is_pooled_to_one_number() -> None:
    assert CIN.output([Fields(3, 4)], Options(maps=[2, 5])) == Dense(7)


def test_its_cost_is_one_affine_layer_in_each_dimension() -> None:
    assert CIN.cost([Fields(10, 5)], Options(maps=[64])) == Cost(64 * 100 + 64, 64 * 100 * 5)
