"""Blocks that only pass on, join or normalise."""

import pytest
import torch

from searchspaces import ArchitectureError, Dense, Fields, Options
from searchspaces.blocks.concat import Concat
from searchspaces.blocks.identity import Identity
from searchspaces.blocks.layer_norm import LayerNorm


def test_the_identity_gives_what_it_takes() -> None:
    fields = torch.randn(4, 2, 3)
    assert Identity([Fields(2, 3)], Options())(fields) is fields


def test_the_identity_takes_one_input() -> None:
    with pytest.raises(ArchitectureError, match="block 'identity' takes one input, but got 2; put a 'concat' there"):
        Identity.output([Dense(1), Dense(1)], Options())


def test_a_concatenation_keeps_the_order() -> None:
    block = Concat([Dense(1), Fields(2, 2)], Options())
    assert block(torch.tensor([[1.0]]), torch.tensor([[[2.0, 3.0], [4.0, 5.0]]])).tolist() == [[1, 2, 3, 4, 5]]


def test_each_field_vector_is_normalised_by_itself() -> None:
    block = LayerNorm([Fields(2, 2)], Options())
    given = torch.tensor([[[1.0, 3.0], [10.0, -10.0]]])
    assert torch.allclose(block(given), torch.tensor([[[-1.0, 1.0], [1.0, -1.0]]]), atol=1e-4)


def test_a_layer_norm_takes_one_input_of_two_numbers_or_more() -> None:
    with pytest.raises(ArchitectureError, match="block 'layer_norm' takes one input, but got 2; put a 'concat' before"):
        LayerNorm.output([Dense(2), Dense(2)], Options())
    with pytest.raises(ArchitectureError, match="can normalise a vector of two or more numbers, but got a width of 1"):
        LayerNorm.output([Fields(3, 1)], Options())
