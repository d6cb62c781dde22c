"""A dense vector cut into tokens."""

import pytest
import torch
from torch.nn.functional import layer_norm

from searchspaces import ArchitectureError, Cost, Dense, Fields, Options
from searchspaces.blocks.dense_to_tokens import DenseToTokens


def test_a_vector_of_the_right_size_is_only_cut() -> None:
    block = DenseToTokens([Dense(4), Dense(2)], Options(tokens=3, dim=2, layer_norm=True))
    assert block(torch.tensor([[1.0, 2.0, 3.0, 4.0]]), torch.tensor([[5.0, 6.0]])).tolist() == [
        [[1, 2], [3, 4], [5, 6]]
    ]
    assert DenseToTokens.cost([Dense(4), Dense(2)], Options(tokens=3, dim=2, layer_norm=True)) == Cost()


def test_another_goes_through_one_layer_normed_as_a_whole() -> None:
    block, given = DenseToTokens([Dense(5)], Options(tokens=3, dim=2, layer_norm=True)), torch.randn(4, 5)
    assert block.layer is not None
    expected = layer_norm(block.layer(given), [6]).view(4, 3, 2)
    assert torch.allclose(block(given), expected, atol=1e-6)


def test_field_vectors_are_flattened() -> None:
    block, given = DenseToTokens([Fields(2, 3)], Options(tokens=3, dim=2)), torch.randn(4, 2, 3)
    assert torch.equal(block(given), given.view(4, 3, 2))


def test_one_number_has_no_norm() -> None:
    with pytest.raises(ArchitectureError, match="'dense_to_tokens' can normalise a vector of two or more numbers"):
        DenseToTokens.output([Dense(5)], Options(tokens=1, dim=1, layer_norm=True))
