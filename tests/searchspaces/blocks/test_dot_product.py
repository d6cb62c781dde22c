"""The dot product keeps each pair of tokens once, and no other."""

import pytest
import torch

from searchspaces import ArchitectureError, Dense, Fields, Options
from searchspaces.blocks.dot_product import DotProduct


def test_three_tokens_give_exactly_the_pairs_of_the_strict_lower_triangle() -> None:
    block = DotProduct([Fields(3, 2)], Options())
    assert [divmod(one, 3) for one in block.pairs.tolist()] == [(1, 0), (2, 0), (2, 1)]
    tokens = torch.tensor([[[1.0, 2.0], [3.0, 4.0], [5.0, -6.0]]])
    assert block(tokens).tolist() == [[1 * 3 + 2 * 4, 1 * 5 - 2 * 6, 3 * 5 - 4 * 6]]


def test_the_order_of_the_fields_only_permutes_the_output() -> None:
    tokens = torch.randn(6, 7, 4)
    block = DotProduct([Fields(7, 4)], Options())
    turned = block(tokens[:, torch.randperm(7)])
    assert torch.allclose(turned.sort(dim=1).values, block(tokens).sort(dim=1).values, atol=1e-6)


def test_each_dense_input_may_be_a_token_as_it_stands() -> None:
    fields, dense = torch.randn(4, 2, 3), torch.randn(4, 3)
    block = DotProduct([Fields(2, 3), Dense(3)], Options(dense_tokens=True))
    assert not list(block.parameters())
    assert torch.allclose(block(fields, dense)[:, 1], (fields[:, 0] * dense).sum(1), atol=1e-6)


def test_a_dense_token_must_have_the_dimension() -> None:
    message = r"each dense input of block 'dot_product' must be 3 wide, but the widths are \[5\]"
    with pytest.raises(ArchitectureError, match=message):
        DotProduct.output([Fields(2, 3), Dense(5)], Options(dense_tokens=True))


def test_one_token_has_no_pair() -> None:
    with pytest.raises(ArchitectureError, match="block 'dot_product' needs two tokens to pair, but got one"):
        DotProduct.output([Dense(5), Dense(3)], Options(dim=3))
