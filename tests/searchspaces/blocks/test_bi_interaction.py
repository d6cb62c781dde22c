"""The factorization machine per dimension against products written out pair by pair."""

import itertools

import pytest
import torch

from searchspaces import ArchitectureError, Fields, Options
from searchspaces.blocks.bi_interaction import BiInteraction
from searchspaces.blocks.fm import FM


def test_a_hand_made_pair() -> None:
    # (1, 2) * (3, -1)
    assert BiInteraction([Fields(2, 2)], Options())(torch.tensor([[[1.0, 2.0], [3.0, -1.0]]])).tolist() == [[3.0, -2.0]]


def test_it_is_the_sum_of_all_products_of_pairs() -> None:
    tokens = torch.randn(8, 5, 3)
    expected = torch.stack([tokens[:, i] * tokens[:, j] for i, j in itertools.combinations(range(5), 2)]).sum(0)
    assert torch.allclose(BiInteraction([Fields(5, 3)], Options())(tokens), expected, atol=1e-5)


def test_its_numbers_add_up_to_those_of_the_factorization_machine() -> None:
    tokens = torch.randn(8, 5, 3)
    whole = FM([Fields(5, 3)], Options(first_order=False))(tokens)
    assert torch.allclose(BiInteraction([Fields(5, 3)], Options())(tokens).sum(1, keepdim=True), whole, atol=1e-5)


def test_one_token_has_no_pair() -> None:
    with pytest.raises(ArchitectureError, match="block 'bi_interaction' needs 2 tokens or more, but got 1"):
        BiInteraction.output([Fields(1, 3)], Options())
