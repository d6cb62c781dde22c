"""Affine projections."""

import torch

from searchspaces import Dense, Fields, Options
from searchspaces.blocks.linear import Linear
from searchspaces.blocks.logit import Logit


def test_a_projection_without_bias_is_a_matrix_product() -> None:
    dense, fields = torch.randn(5, 3), torch.randn(5, 2, 2)
    block = Linear([Dense(3), Fields(2, 2)], Options(width=2, bias=False))
    expected = torch.cat([dense, fields.reshape(5, 4)], dim=1) @ block.layer.weight.T
    assert torch.allclose(block(dense, fields), expected, atol=1e-6)


def test_a_logit_is_one_affine_unit() -> None:
    dense = torch.randn(5, 3)
    block = Logit([Dense(3)], Options())
    assert torch.allclose(block(dense), dense @ block.layer.weight.T + block.layer.bias, atol=1e-6)
