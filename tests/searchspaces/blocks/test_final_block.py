"""Factorized interaction layers against their formula."""

import pytest
import torch

from searchspaces import ArchitectureError, Cost, Dense, Fields, Options
from searchspaces.blocks.final_block import FinalBlock


@pytest.mark.parametrize("residual", ["concat", "sum"])
def test_halves_are_multiplied_and_kept(residual: str) -> None:
    dense = torch.randn(5, 3)
    block = FinalBlock([Dense(3)], Options(width=4, residual=residual, activation="none"))
    weights = dict(block.named_parameters())
    affine = dense @ weights["interactions.0.weight"].T + weights["interactions.0.bias"]
    one, other = affine.chunk(2, dim=1)
    expected = torch.cat([one, one * other], dim=1) if residual == "concat" else one + one * other
    assert torch.allclose(block(dense), expected, atol=1e-6)


def test_the_field_gate_stands_beside_the_field_vectors() -> None:
    fields = torch.randn(5, 3, 2)
    block = FinalBlock([Fields(3, 2)], Options(width=4, activation="none", field_gate=True))
    assert block.gate is not None
    gate = torch.einsum("bid,ji->bjd", fields, block.gate.weight) + block.gate.bias.view(1, 3, 1)
    plain = FinalBlock([Dense(12)], Options(width=4, activation="none"))
    plain.interactions.load_state_dict(block.interactions.state_dict())
    assert torch.allclose(block(fields), plain(torch.cat([fields, fields * gate], dim=1).flatten(1)), atol=1e-6)


def test_the_cost_by_hand() -> None:
    # gate 3 * 3 + 3 for each of 2 dimensions, then 12 to 4 with a batch norm
    known = FinalBlock.cost([Fields(3, 2)], Options(width=4, norm="batch", field_gate=True))
    assert known == Cost(parameters=12 + 12 * 4 + 4 + 8, macs=9 * 2 + 48)
    assert FinalBlock.cost([Dense(3)], Options(width=4, residual="sum")) == Cost(parameters=24 + 8, macs=24)


def test_halves_need_even_widths() -> None:
    with pytest.raises(ArchitectureError, match=r"'concat' needs even widths, but they are \[4, 3\]"):
        FinalBlock.output([Dense(3)], Options(widths=[4, 3]))


def test_the_field_gate_takes_field_vectors_of_one_dimension() -> None:
    message = r"takes field vectors of one dimension alone, but got \[3 x 2\], \[4\]; leave 'field_gate' out"
    with pytest.raises(ArchitectureError, match=message):
        FinalBlock.output([Fields(3, 2), Dense(4)], Options(width=4, field_gate=True))
