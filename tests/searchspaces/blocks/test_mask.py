"""The mask block against its formula."""

import pytest
import torch
from torch.nn.functional import layer_norm

from searchspaces import Architecture, ArchitectureError, Cost, Dense, Node, Options
from searchspaces.blocks.mask import Mask
from searchspaces.build import build
from searchspaces.cost import cost
from tests.searchspaces.graphs import schema

PORTS = ["mask", "value"]


def test_it_follows_the_formula() -> None:
    wide, value = torch.randn(5, 4), torch.randn(5, 3)
    block = Mask([Dense(4), Dense(3)], Options(ports=PORTS, width=2, ratio=2))
    weights = dict(block.named_parameters())
    hidden = (wide @ weights["mask.0.weight"].T + weights["mask.0.bias"]).clamp(min=0)
    mask = hidden @ weights["mask.2.weight"].T + weights["mask.2.bias"]
    expected = layer_norm((mask * value) @ weights["layers.0.weight"].T, (2,)).clamp(min=0)
    assert torch.allclose(block(wide, value), expected, atol=1e-6)


def test_the_cost_is_that_of_the_paper() -> None:
    # D = 4, h = 3, r h = 6, o = 2
    known = Mask.cost([Dense(4), Dense(3)], Options(ports=PORTS, width=2, ratio=2))
    assert known == Cost(parameters=4 * 6 + 6 + 6 * 3 + 3 + 3 * 2 + 2 * 2, macs=4 * 6 + 6 * 3 + 3 * 2)


def test_the_norm_may_be_left_out() -> None:
    options = Options(ports=PORTS, width=1, layer_norm=False)
    assert Mask.output([Dense(4), Dense(3)], options) == Dense(1)
    assert Mask.cost([Dense(4), Dense(3)], options).parameters == 4 * 3 + 3 + 3 * 3 + 3 + 3


@pytest.mark.parametrize("values", [(1, 1), (1, 2)], ids=["parallel", "serial"])
def test_blocks_side_by_side_and_in_a_row_are_written_as_graphs(values: tuple[int, int]) -> None:
    blocks = [Node("mask", (0, 1, at), Options(ports=["mask", "mask", "value"], width=8)) for at in values]
    inputs = (Node("numeric"), Node("full", (), Options(dim=4)))
    architecture = Architecture((*inputs, *blocks, Node("logit", (2, 3) if values == (1, 1) else (3,))))
    model = build(architecture, schema(), seed=1)
    assert sum(one.numel() for one in model.parameters()) == cost(architecture, schema()).parameters
    assert model(torch.randn(5, 3), torch.zeros(5, 4, dtype=torch.int32)).shape == (5,)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ratio": 0.2}, "'ratio' of block 'mask' must leave a hidden unit, but 0.2 of 3 numbers is none"),
        ({"ratio": 0}, "'ratio' of block 'mask' must be above 0 and at most .*, but is 0"),
        ({"width": 1}, "block 'mask' can normalise a vector of two or more numbers, but got a width of 1"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        Mask.output([Dense(4), Dense(3)], Options({"ports": PORTS, "width": 2, **options}))
