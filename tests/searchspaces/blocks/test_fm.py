"""The factorization machine against sums written out pair by pair."""

import itertools

import pytest
import torch
from torch import Tensor

from searchspaces import ArchitectureError, Dense, Fields, Options
from searchspaces.blocks.fm import FM


def pair_sum(tokens: Tensor) -> Tensor:
    """Sum over all pairs of the inner product, [batch, 1]."""
    pairs = itertools.combinations(range(tokens.shape[1]), 2)
    return torch.stack([(tokens[:, i] * tokens[:, j]).sum(1) for i, j in pairs]).sum(0).unsqueeze(1)


def test_a_hand_made_pair() -> None:
    # <(1, 2), (3, -1)> = 3 - 2 = 1
    block = FM([Fields(2, 2)], Options(first_order=False))
    assert block(torch.tensor([[[1.0, 2.0], [3.0, -1.0]]])).tolist() == [[1.0]]


def test_second_order_is_the_sum_of_all_pairwise_products() -> None:
    tokens = torch.randn(8, 5, 3)
    block = FM([Fields(5, 3)], Options(first_order=False))
    assert torch.allclose(block(tokens), pair_sum(tokens), atol=1e-5)


def test_first_order_is_one_projection_per_token() -> None:
    tokens = torch.randn(8, 5, 3)
    block = FM([Fields(5, 3)], Options())
    assert block.first_order is not None
    weight = block.first_order.weight.reshape(5, 3)
    first = torch.stack([tokens[:, i] @ weight[i] for i in range(5)]).sum(0).unsqueeze(1) + block.first_order.bias
    assert torch.allclose(block(tokens), first + pair_sum(tokens), atol=1e-5)


def test_all_dense_inputs_become_one_token() -> None:
    fields, one, other = torch.randn(4, 2, 3), torch.randn(4, 5), torch.randn(4, 1)
    block = FM([Dense(5), Fields(2, 3), Dense(1)], Options(dim=3, first_order=False))
    assert block.tokens.project_dense is not None
    token = block.tokens.project_dense(torch.cat([one, other], dim=1)).unsqueeze(1)
    expected = pair_sum(torch.cat([fields, token], dim=1))
    assert torch.allclose(block(one, fields, other), expected, atol=1e-5)


def test_fields_of_another_dimension_get_a_projection_of_their_own() -> None:
    narrow, wide = torch.randn(4, 2, 3), torch.randn(4, 2, 6)
    block = FM([Fields(2, 3), Fields(2, 6)], Options(first_order=False))
    projected = block.tokens.project_fields["0"](narrow)
    assert list(block.tokens.project_fields) == ["0"]  # the largest dimension is the default
    assert torch.allclose(block(narrow, wide), pair_sum(torch.cat([projected, wide], dim=1)), atol=1e-5)


def test_second_order_alone_needs_two_tokens() -> None:
    with pytest.raises(ArchitectureError, match="without first order needs two tokens to pair, but got one"):
        FM.output([Fields(1, 3)], Options(first_order=False))


def test_dense_inputs_alone_need_a_dimension() -> None:
    with pytest.raises(ArchitectureError, match="block 'fm' takes dense inputs alone, so it needs the option 'dim'"):
        FM.output([Dense(3)], Options())
