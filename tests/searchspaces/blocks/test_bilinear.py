"""Bilinear pairs against a loop over pairs."""

import itertools
import math

import pytest
import torch
from torch import Tensor

from searchspaces import Architecture, ArchitectureError, Cost, Dense, Fields, Node, Options
from searchspaces.blocks.bilinear import Bilinear
from searchspaces.build import build
from tests.searchspaces.graphs import schema

PAIRS = list(itertools.combinations(range(4), 2))
MATRIX_OF_PAIR = {"shared": [0] * 6, "field": [i for i, _ in PAIRS], "pair": list(range(6))}


def pairs(block: Bilinear, tokens: Tensor, kind: str) -> Tensor:
    """(x_i W) * x_j for each pair of four tokens."""
    found = [
        (tokens[:, i] @ block.matrices[which]) * tokens[:, j]
        for (i, j), which in zip(PAIRS, MATRIX_OF_PAIR[kind], strict=True)
    ]
    return torch.stack(found, dim=1)


@pytest.mark.parametrize("kind", ["shared", "field", "pair"])
def test_each_pair_is_turned_by_its_matrix(kind: str) -> None:
    block, tokens = Bilinear([Fields(4, 3)], Options(weights=kind)), torch.randn(5, 4, 3)
    assert len(block.matrices) == {"shared": 1, "field": 3, "pair": 6}[kind]
    assert torch.allclose(block(tokens), pairs(block, tokens, kind), atol=1e-6)


def test_with_the_identity_pairs_are_elementwise_products() -> None:
    block, tokens = Bilinear([Fields(4, 3)], Options()), torch.randn(5, 4, 3)
    with torch.no_grad():
        block.matrices.copy_(torch.eye(3).unsqueeze(0))
    expected = torch.stack([tokens[:, i] * tokens[:, j] for i, j in PAIRS], dim=1)
    assert torch.equal(block(tokens), expected)


@pytest.mark.parametrize("kind", ["shared", "field", "pair"])
def test_the_same_matrices_may_pair_each_input_in_turn(kind: str) -> None:
    block = Bilinear([Fields(4, 3), Fields(4, 3)], Options(weights=kind, each_input=True))
    raw, weighted = torch.randn(5, 4, 3), torch.randn(5, 4, 3)
    expected = torch.cat([pairs(block, raw, kind), pairs(block, weighted, kind)], dim=1)
    assert torch.allclose(block(raw, weighted), expected, atol=1e-6)


def test_its_cost_is_a_product_per_left_field_or_per_pair() -> None:
    both = [Fields(39, 10), Fields(39, 10)]
    assert Bilinear.cost(both, Options(each_input=True)) == Cost(100, 2 * 38 * 100)
    assert Bilinear.cost(both, Options(weights="pair", each_input=True)) == Cost(741 * 100, 2 * 741 * 100)
    assert Bilinear.cost([Fields(39, 10)], Options(weights="field")) == Cost(38 * 100, 38 * 100)


@pytest.mark.parametrize("inputs", [[Fields(4, 3), Fields(4, 2)], [Dense(3)]])
def test_inputs_in_turn_have_one_shape(inputs: list[Fields | Dense]) -> None:
    with pytest.raises(ArchitectureError, match="with 'each_input' block 'bilinear' takes field vectors of one shape"):
        Bilinear.output(inputs, Options(each_input=True))


def test_inputs_in_turn_are_not_stacked() -> None:
    with pytest.raises(ArchitectureError, match="and neither 'dim' nor 'dense_tokens', but got"):
        Bilinear.output([Fields(4, 3)], Options(each_input=True, dim=3))


def test_every_matrix_of_a_model_starts_as_if_it_were_alone() -> None:
    source, pairs = Node("full", (), Options(dim=6)), Node("bilinear", (0,), Options(weights="pair"))
    model = build(Architecture((source, pairs, Node("logit", (1,)))), schema(numeric=0, categorical=8), seed=3)
    (matrices,) = (value for name, value in model.named_parameters() if name.endswith("matrices"))
    bound = math.sqrt(6 / (6 + 6))
    assert 0.95 * bound < matrices.abs().max() <= bound
    assert len({one.sum().item() for one in matrices}) == 28


def test_one_token_has_no_pair() -> None:
    with pytest.raises(ArchitectureError, match="block 'bilinear' needs 2 tokens or more, but got 1"):
        Bilinear.output([Fields(1, 4)], Options())
