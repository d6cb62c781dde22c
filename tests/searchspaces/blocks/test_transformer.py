"""The encoder layer against torch's own."""

import pytest
import torch
from torch import nn

from searchspaces import Architecture, ArchitectureError, Cost, Fields, Node, Options
from searchspaces.blocks.transformer import Transformer
from searchspaces.build import build
from tests.searchspaces.graphs import schema


def torch_layer(block: Transformer, dim: int, hidden: int, heads: int) -> nn.TransformerEncoderLayer:
    """An encoder layer of torch with the weights of the block, its keys' bias zero."""
    layer = nn.TransformerEncoderLayer(dim, heads, hidden, dropout=0.0, batch_first=True)
    attention = layer.self_attn
    widen, narrow = block.feed_forward[0], block.feed_forward[2]
    assert isinstance(widen, nn.Linear)
    assert isinstance(narrow, nn.Linear)
    with torch.no_grad():
        attention.in_proj_weight.copy_(torch.cat([block.query.weight, block.key.weight, block.value.weight]))
        attention.in_proj_bias.copy_(torch.cat([block.query.bias, torch.zeros(dim), block.value.bias]))
    attention.out_proj.load_state_dict(block.gather.state_dict())
    layer.linear1.load_state_dict(widen.state_dict())
    layer.linear2.load_state_dict(narrow.state_dict())
    return layer


def test_it_is_the_encoder_layer_of_torch() -> None:
    block, tokens = Transformer([Fields(5, 8)], Options(heads=4, hidden=12)), torch.randn(6, 5, 8)
    layer = torch_layer(block, 8, 12, 4).train()
    assert torch.allclose(block(tokens), layer(tokens), atol=1e-5)


def test_tokens_are_mixed_and_normalised_first() -> None:
    block = Transformer([Fields(5, 8)], Options(heads=2, tokens=3, token_norm=True))
    assert block.mix is not None
    assert block.mix.layer.bias is None
    tokens = torch.randn(6, 5, 8)
    mixed = nn.functional.layer_norm((block.mix.layer.weight @ tokens).transpose(1, 2), [3]).transpose(1, 2)
    assert torch.allclose(block(tokens), torch_layer(block, 8, 8, 2).train()(mixed), atol=1e-5)


def test_its_cost_is_that_of_the_formula() -> None:
    # Four matrices with three biases, two layers, two norms; and before them 5 tokens mixed to 3.
    parameters = 4 * 64 + 3 * 8 + (8 * 12 + 12) + (12 * 8 + 8) + 2 * 2 * 8
    assert Transformer.cost([Fields(5, 8)], Options(hidden=12)) == Cost(parameters, 5 * (256 + 192) + 2 * 25 * 8)
    mixed = Cost(parameters + 6 * 3, 3 * (256 + 192) + 2 * 9 * 8 + 5 * 3 * 8)
    assert Transformer.cost([Fields(5, 8)], Options(hidden=12, tokens=3)) == mixed


def test_one_token_has_nothing_to_attend_to() -> None:
    with pytest.raises(ArchitectureError, match="block 'transformer' needs two tokens to attend to each other"):
        Transformer.output([Fields(5, 8)], Options(tokens=1))


def test_a_norm_over_tokens_needs_tokens() -> None:
    with pytest.raises(ArchitectureError, match="'token_norm' of block 'transformer' is a norm over 'tokens'"):
        Transformer.output([Fields(5, 8)], Options(token_norm=True))


def test_the_gain_is_where_the_weights_of_both_norms_begin() -> None:
    architecture = Architecture(
        (
            Node("full", (), Options(dim=4)),
            Node("transformer", (0,), Options(tokens=3, token_norm=True, gain=0.17)),
            Node("logit", (1,)),
        )
    )
    block = build(architecture, schema(), seed=1).nodes["1_transformer"]
    assert isinstance(block, Transformer)
    assert block.token_norm is not None
    for norm in (block.attention_norm, block.norm):
        assert norm.weight.tolist() == pytest.approx([0.17] * 4)
    assert block.token_norm.weight.tolist() == [1.0, 1.0, 1.0]


def test_a_gain_is_above_zero() -> None:
    with pytest.raises(ArchitectureError, match=r"'gain' of block 'transformer' must be above 0 .*, but is 0"):
        Transformer.output([Fields(3, 4)], Options(gain=0))
