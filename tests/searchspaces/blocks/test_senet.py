"""Squeeze and excitation by hand."""

import pytest
import torch

from searchspaces import ArchitectureError, Cost, Fields, Options
from searchspaces.blocks.senet import SENet


def test_weights_follow_from_the_means() -> None:
    # Means 2 and 4; the unit sees 2 + 4 = 6; field 0 gets the weight 0.5 * 6, field 1 max(0, -6).
    block = SENet([Fields(2, 2)], Options(reduction=2))
    with torch.no_grad():
        block.squeeze.weight.copy_(torch.tensor([[1.0, 1.0]]))
        block.excite.weight.copy_(torch.tensor([[0.5], [-1.0]]))
    assert block(torch.tensor([[[1.0, 3.0], [2.0, 6.0]]])).tolist() == [[[3.0, 9.0], [0.0, 0.0]]]


def test_a_sigmoid_never_puts_a_field_out() -> None:
    block, tokens = SENet([Fields(6, 4)], Options(reduction=3, excitation="sigmoid")), torch.randn(5, 6, 4)
    hidden = (tokens.mean(2) @ block.squeeze.weight.T).relu()
    weights = torch.sigmoid(hidden @ block.excite.weight.T)
    assert torch.allclose(block(tokens), tokens * weights.unsqueeze(2), atol=1e-6)


def test_its_cost_is_two_matrices() -> None:
    assert SENet.cost([Fields(39, 10)], Options(reduction=12)) == Cost(2 * 39 * 3, 2 * 39 * 3)
    assert SENet.cost([Fields(2, 10)], Options(reduction=12)) == Cost(2 * 2, 2 * 2)


def test_the_excitation_is_a_known_one() -> None:
    with pytest.raises(
        ArchitectureError, match="'excitation' of block 'senet' must be one of relu, sigmoid, but is 'x'"
    ):
        SENet.output([Fields(3, 4)], Options(reduction=1, excitation="x"))


def test_one_token_has_no_importance_among_others() -> None:
    with pytest.raises(ArchitectureError, match="block 'senet' needs 2 tokens or more, but got 1"):
        SENet.output([Fields(1, 4)], Options(reduction=1))
