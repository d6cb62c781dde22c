"""The Wukong layer against its parts, and the factorization machine in it against the square matrix."""

import pytest
import torch
from torch.nn.functional import layer_norm, linear

from searchspaces import ArchitectureError, Cost, Fields, Options
from searchspaces.blocks.wukong import Wukong

OPTIONS = Options(fm_tokens=2, linear_tokens=1, rank=3, widths=[6, 4])
PUBLISHED = [(96, 8192, 22.92, 22.23), (96, 16384, 58.0, 61.0), (192, 16384, 116.4, 108.0)]
"""Tokens of each part and rank, hidden width, and GFLOP per example forward and backward of eight layers on 720 fields
of dimension 160: by the formula of the paper without attention, and as the paper prints them."""


def test_projecting_early_is_projecting_the_square_matrix() -> None:
    block = Wukong([Fields(7, 5)], OPTIONS).double()
    tokens = torch.randn(6, 7, 5, dtype=torch.float64)
    square = tokens @ tokens.transpose(1, 2)
    assert torch.allclose(block.interact(tokens), square @ block.projection(tokens), atol=1e-12)


def test_the_layer_is_put_together_as_written() -> None:
    block, tokens = Wukong([Fields(7, 5)], OPTIONS), torch.randn(6, 7, 5)
    assert block.shortcut is not None
    made = layer_norm((tokens @ tokens.transpose(1, 2) @ block.projection(tokens)).flatten(1), [21])
    layers = [layer for layer in block.mlp if isinstance(layer, torch.nn.Linear)]
    for layer in layers:
        made = linear(made if layer is layers[0] else made.relu(), layer.weight, layer.bias)
    both = torch.cat([made.view(6, 2, 5), block.compress.layer.weight @ tokens], dim=1)
    expected = layer_norm(both + block.shortcut.layer.weight @ tokens, [5])
    assert torch.allclose(block(tokens), expected, atol=1e-5)


def test_as_many_tokens_as_enter_are_added_as_they_stand() -> None:
    options = Options(fm_tokens=4, linear_tokens=3, rank=2, widths=[6])
    block, tokens = Wukong([Fields(7, 5)], options), torch.randn(6, 7, 5)
    assert block.shortcut is None
    with torch.no_grad():
        for parameter in (*block.mlp.parameters(), *block.compress.parameters()):
            parameter.zero_()
    assert torch.allclose(block(tokens), layer_norm(tokens, [5]), atol=1e-6)


def test_the_projection_may_follow_from_the_tokens() -> None:
    block = Wukong([Fields(7, 5)], Options({**OPTIONS, "attention": 4}))
    tokens = torch.randn(6, 7, 5)
    square = tokens @ tokens.transpose(1, 2)
    assert torch.allclose(block.interact(tokens), square @ block.projection(tokens), atol=1e-4)
    assert not torch.allclose(block.projection(tokens)[0], block.projection(tokens)[1])


def closed_form(n: int, d: int, options: Options) -> Cost:
    """Parameters and multiply-adds as in the paper, for hidden layers of one width and tokens that change in number."""
    named = options.to_dict()
    fm, lc, k, (h, *deeper) = named["fm_tokens"], named["linear_tokens"], named["rank"], named["widths"]
    mlp = [n * k * h, *(h * h for _ in deeper), h * fm * d]
    biases = h * (1 + len(deeper)) + fm * d
    parameters = n * k + 2 * n * k + sum(mlp) + biases + n * lc + n * (fm + lc) + 2 * d
    return Cost(parameters, 2 * n * k * d + sum(mlp) + lc * n * d + (fm + lc) * n * d)


@pytest.mark.parametrize("n", [10, 720])
def test_its_cost_is_that_of_the_formula(n: int) -> None:
    options = Options(fm_tokens=8, linear_tokens=4, rank=24, widths=[64, 64, 64])
    assert Wukong.cost([Fields(n, 16)], options) == closed_form(n, 16, options)


@pytest.mark.parametrize(("tokens", "hidden", "computed", "published"), PUBLISHED)
def test_large_published_stacks_take_the_flops_of_the_formula(
    tokens: int, hidden: int, computed: float, published: float
) -> None:
    options = Options(fm_tokens=tokens, linear_tokens=tokens, rank=tokens, widths=[hidden] * 3)
    first, later = (Wukong.cost([Fields(fields, 160)], options).macs for fields in (720, 2 * tokens))
    training = 3 * 2 * (first + 7 * later) / 1e9
    assert training == pytest.approx(computed, abs=0.05)
    assert training == pytest.approx(published, rel=0.08)


def test_the_number_of_dimensions_can_be_normalised() -> None:
    with pytest.raises(
        ArchitectureError, match="block 'wukong' can normalise a vector of two or more numbers, but got a width of 1"
    ):
        Wukong.output([Fields(7, 1)], OPTIONS)
