"""Weighted sums of tokens."""

import torch

from searchspaces import Cost, Fields, Options
from searchspaces.blocks.token_linear import TokenMix


def test_it_is_a_matrix_product_along_the_tokens() -> None:
    block, tokens = TokenMix([Fields(5, 3)], Options(tokens=2)), torch.randn(6, 5, 3)
    assert torch.allclose(block(tokens), block.mix.layer.weight @ tokens, atol=1e-6)


def test_a_bias_is_one_number_per_token_of_the_output() -> None:
    block, tokens = TokenMix([Fields(5, 3)], Options(tokens=2, bias=True)), torch.randn(6, 5, 3)
    expected = block.mix.layer.weight @ tokens + block.mix.layer.bias.view(2, 1)
    assert torch.allclose(block(tokens), expected, atol=1e-6)


def test_its_cost_is_one_matrix_used_in_each_dimension() -> None:
    assert TokenMix.cost([Fields(5, 3)], Options(tokens=2)) == Cost(parameters=5 * 2, macs=5 * 2 * 3)
