"""The interacting layer against the formula, head by head and token by token."""

import math

import pytest
import torch
from torch import Tensor
from torch.nn.functional import layer_norm

from searchspaces import ArchitectureError, Cost, Fields, Options
from searchspaces.blocks.self_attention import SelfAttention


def attention(block: SelfAttention, tokens: Tensor, heads: int, *, scale: bool) -> Tensor:
    """The formula, written out for each head and each token."""
    query, key, value = (tokens @ layer.weight.T for layer in (block.query, block.key, block.value))
    wide = query.shape[2] // heads
    found = torch.zeros_like(query)
    for head in range(heads):
        own = slice(head * wide, (head + 1) * wide)
        for at in range(tokens.shape[1]):
            scores = (query[:, at : at + 1, own] * key[:, :, own]).sum(2) / (math.sqrt(wide) if scale else 1.0)
            found[:, at, own] = (scores.softmax(1).unsqueeze(2) * value[:, :, own]).sum(1)
    return found


@pytest.mark.parametrize("scale", [False, True])
def test_heads_attend_by_themselves(scale: bool) -> None:
    options = Options(width=6, heads=3, scale=scale, residual=False)
    block, tokens = SelfAttention([Fields(5, 4)], options), torch.randn(7, 5, 4)
    assert block.shortcut is None
    assert torch.allclose(block(tokens), attention(block, tokens, 3, scale=scale).relu(), atol=1e-6)


def test_a_residual_of_another_width_is_projected() -> None:
    block, tokens = SelfAttention([Fields(5, 4)], Options(width=6)), torch.randn(7, 5, 4)
    assert block.shortcut is not None
    expected = attention(block, tokens, 1, scale=False) + tokens @ block.shortcut.weight.T
    assert torch.allclose(block(tokens), expected.relu(), atol=1e-6)


def test_a_residual_of_the_same_width_is_added_and_normalised() -> None:
    block, tokens = SelfAttention([Fields(5, 4)], Options(width=4, layer_norm=True)), torch.randn(7, 5, 4)
    expected = layer_norm(attention(block, tokens, 1, scale=False) + tokens, [4])
    assert torch.allclose(block(tokens), expected.relu(), atol=1e-6)


def test_the_order_of_the_tokens_only_permutes_the_output() -> None:
    block, tokens = SelfAttention([Fields(5, 4)], Options(width=6, heads=2)), torch.randn(7, 5, 4)
    turned = torch.randperm(5)
    assert torch.allclose(block(tokens[:, turned]), block(tokens)[:, turned], atol=1e-6)


def test_its_cost_is_that_of_the_formula() -> None:
    options = Options(width=6, heads=2, layer_norm=True)
    assert SelfAttention.cost([Fields(5, 4)], options) == Cost(4 * 24 + 12, 5 * 4 * 24 + 2 * 25 * 6)
    assert SelfAttention.cost([Fields(5, 6)], options) == Cost(3 * 36 + 12, 5 * 3 * 36 + 2 * 25 * 6)


def test_heads_share_the_width() -> None:
    with pytest.raises(
        ArchitectureError, match=r"'heads' of block 'self_attention' must divide .* 4 does not divide 6"
    ):
        SelfAttention.output([Fields(5, 4)], Options(width=6, heads=4))


def test_one_token_has_nothing_to_attend_to() -> None:
    with pytest.raises(ArchitectureError, match="block 'self_attention' needs 2 tokens or more, but got 1"):
        SelfAttention.output([Fields(1, 4)], Options(width=6))
