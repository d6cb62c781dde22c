"""The layer along the token axis against sums written out."""

import pytest
import torch
from torch.nn.functional import layer_norm

from searchspaces import ArchitectureError, Dense, Fields, Options, Shape
from searchspaces.blocks.efc import EFC


def test_each_token_of_the_output_is_a_weighted_sum_of_tokens() -> None:
    # Token 0 is x0 + 2 x1 - 4, token 1 is -x0, in both dimensions; what is below zero is cut.
    block = EFC([Fields(2, 2)], Options(tokens=2))
    with torch.no_grad():
        block.mix.layer.weight.copy_(torch.tensor([[1.0, 2.0], [-1.0, 0.0]]))
        block.mix.layer.bias.copy_(torch.tensor([-4.0, 0.0]))
    tokens = torch.tensor([[[1.0, -2.0], [3.0, 4.0]]])
    assert block(tokens).tolist() == [[[3.0, 2.0], [0.0, 2.0]]]


def test_the_norm_is_over_the_tokens_of_each_dimension() -> None:
    block, tokens = EFC([Fields(5, 3)], Options(tokens=4, layer_norm=True)), torch.randn(6, 5, 3)
    assert block.mix.layer.bias is None
    mixed = torch.einsum("ot,btd->bdo", block.mix.layer.weight, tokens)
    expected = layer_norm(mixed, [4]).relu().transpose(1, 2)
    assert torch.allclose(block(tokens), expected, atol=1e-6)


def test_without_activation_numbers_below_zero_stay() -> None:
    block, tokens = EFC([Fields(5, 3)], Options(tokens=4, activation="none")), torch.randn(6, 5, 3)
    given = block(tokens)
    assert torch.equal(given, block.mix(tokens))
    assert (given < 0).any()


def test_several_inputs_are_stacked_before() -> None:
    inputs: list[Shape] = [Dense(5), Fields(2, 4), Fields(3, 2), Dense(1)]
    given = [torch.randn(6, 5), torch.randn(6, 2, 4), torch.randn(6, 3, 2), torch.randn(6, 1)]
    block = EFC(inputs, Options(tokens=7))
    assert block.mix.layer.in_features == 2 + 3 + 1
    assert torch.allclose(block(*given), block.mix(block.tokens(*given)).relu())


def test_a_norm_over_one_token_is_refused() -> None:
    with pytest.raises(
        ArchitectureError,
        match="block 'efc' can normalise a vector of two or more numbers, but got a width of 1: of one",
    ):
        EFC.output([Fields(3, 4)], Options(tokens=1, layer_norm=True))


def test_the_number_of_tokens_must_be_given() -> None:
    with pytest.raises(
        ArchitectureError, match="'tokens' of block 'efc' must be an integer of at least 1, but is None"
    ):
        EFC.output([Fields(3, 4)], Options())
