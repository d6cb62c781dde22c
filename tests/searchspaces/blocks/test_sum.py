"""Sums: over tokens, over inputs, into a logit."""

import pytest
import torch

from searchspaces import ArchitectureError, Dense, Fields, Options
from searchspaces.blocks.sum import Sum
from searchspaces.blocks.sum_logit import SumLogit


def test_field_vectors_are_summed_over_tokens() -> None:
    block = Sum([Fields(3, 1)], Options())
    assert block(torch.tensor([[[1.0], [2.0], [4.0]]])).tolist() == [[7.0]]


def test_dense_vectors_of_one_width_are_added() -> None:
    block = Sum([Dense(2), Dense(2)], Options())
    assert block(torch.tensor([[1.0, 2.0]]), torch.tensor([[3.0, 5.0]])).tolist() == [[4.0, 7.0]]


def test_vectors_of_two_widths_cannot_be_added() -> None:
    with pytest.raises(ArchitectureError, match=r"block 'sum' adds vectors of one width, but got widths \[1, 2\]"):
        Sum.output([Dense(2), Fields(3, 1)], Options())


def test_zeros_fill_up_the_narrower_where_it_is_asked_for() -> None:
    block = Sum([Dense(3), Dense(1), Fields(2, 2)], Options(pad=True))
    assert Sum.output([Dense(3), Dense(1)], Options(pad=True)) == Dense(3)
    given = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[10.0]]), torch.tensor([[[100.0, 0.0], [0.0, 200.0]]])
    assert block(*given).tolist() == [[111.0, 202.0, 3.0]]


def test_votes_are_added_with_a_bias() -> None:
    block = SumLogit([Dense(1), Dense(1)], Options())
    assert block.bias is not None
    torch.nn.init.constant_(block.bias, 0.5)
    assert block(torch.tensor([[1.0]]), torch.tensor([[2.0]])).tolist() == [[3.5]]


def test_the_bias_may_be_left_out() -> None:
    block = SumLogit([Dense(1)], Options(bias=False))
    assert not list(block.parameters())
    assert block(torch.tensor([[1.0]])).tolist() == [[1.0]]


def test_a_vote_is_one_number() -> None:
    with pytest.raises(ArchitectureError, match=r"adds inputs of width 1, but got \[4\]; put a 'linear' of width 1"):
        SumLogit.output([Dense(1), Dense(4)], Options())
