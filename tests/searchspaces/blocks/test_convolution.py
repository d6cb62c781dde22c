"""The convolution against a loop over places."""

import pytest
import torch
from torch.nn.functional import pad

from searchspaces import ArchitectureError, Cost, Fields, Options
from searchspaces.blocks.convolution import Convolution


def test_kernels_slide_over_tokens_and_dimensions() -> None:
    block, tokens = Convolution([Fields(4, 5)], Options(tokens=2, channels=3)), torch.randn(6, 4, 5)
    assert block.kernels.bias is not None
    framed = pad(tokens, (1, 1, 1, 1))
    channels = torch.zeros(6, 3, 4, 5)
    for row in range(4):
        for column in range(5):
            patch = framed[:, row : row + 3, column : column + 3].flatten(1)
            channels[:, :, row, column] = patch @ block.kernels.weight.flatten(1).T + block.kernels.bias
    expected = block.mix.layer.weight @ channels.relu().reshape(6, 12, 5)
    assert torch.allclose(block(tokens), expected, atol=1e-5)


def test_a_kernel_of_one_weighs_each_value_alone() -> None:
    block, tokens = Convolution([Fields(4, 5)], Options(tokens=4, kernel=1)), torch.randn(6, 4, 5)
    assert block.kernels.bias is not None
    with torch.no_grad():
        block.kernels.weight.fill_(2.0)
        block.kernels.bias.zero_()
        block.mix.layer.weight.copy_(torch.eye(4))
    assert torch.allclose(block(tokens), 2.0 * tokens.relu())


def test_its_cost_is_that_of_kernels_and_tokens() -> None:
    expected = Cost(parameters=3 * 9 + 3 + 12 * 2, macs=3 * 9 * 4 * 5 + 12 * 2 * 5)
    assert Convolution.cost([Fields(4, 5)], Options(tokens=2, channels=3)) == expected


def test_a_kernel_has_a_middle() -> None:
    with pytest.raises(ArchitectureError, match=r"'kernel' of block 'convolution' must be odd, .* but is 2"):
        Convolution.output([Fields(4, 5)], Options(tokens=2, kernel=2))
