"""Cross networks against their formulas and a polynomial."""

import pytest
import torch

from searchspaces import ArchitectureError, Cost, Dense, Fields, Options
from searchspaces.blocks.cross import Cross
from searchspaces.blocks.gated_cross import GatedCross


def test_two_layers_follow_the_formula() -> None:
    dense, fields = torch.randn(5, 2), torch.randn(5, 2, 2)
    block = Cross([Dense(2), Fields(2, 2)], Options(layers=2))
    start = crossed = torch.cat([dense, fields.reshape(5, 4)], dim=1)
    for layer in block.layers:
        weight, bias = layer.weight, layer.bias
        assert isinstance(weight, torch.Tensor)
        assert isinstance(bias, torch.Tensor)
        crossed = start * (crossed @ weight.T + bias) + crossed
    assert torch.allclose(block(dense, fields), crossed, atol=1e-6)


def test_layers_with_unit_weights_raise_the_degree() -> None:
    # One unit with w = 1, b = 0: x -> x*x + x -> x*(x*x + x) + x*x + x.
    block = Cross([Dense(1)], Options(layers=2))
    with torch.no_grad():
        for parameter in block.parameters():
            parameter.fill_(1.0 if parameter.dim() == 2 else 0.0)
    x = torch.tensor([[2.0], [-3.0]])
    assert torch.allclose(block(x), x**3 + 2 * x**2 + x)


def test_full_rank_factors_give_the_full_cross() -> None:
    dense = torch.randn(5, 3)
    full, low = Cross([Dense(3)], Options(layers=2)), Cross([Dense(3)], Options(layers=2, kind="low_rank", rank=3))
    narrow_and_widen = zip(full.layers, low.layers, strict=True)
    for layer, (narrow, widen) in ((one, other.children()) for one, other in narrow_and_widen):
        narrow.load_state_dict({"weight": torch.eye(3)})
        widen.load_state_dict(layer.state_dict())
    assert torch.allclose(low(dense), full(dense), atol=1e-6)


def test_a_mixture_follows_the_formula() -> None:
    dense = torch.randn(5, 3)
    block = Cross([Dense(3)], Options(layers=2, kind="mixture", rank=2, experts=2))
    assert block.gate is not None
    weights = dict(block.named_parameters())
    crossed = dense
    for layer in range(2):
        shares = torch.softmax(crossed @ weights["gate.weight"].T, dim=1)
        given = torch.zeros(5, 3)
        for expert in range(2):
            v, c, u = (weights[f"layers.{layer}.{part}.{expert}.weight"] for part in ("narrow", "inner", "widen"))
            mapped = torch.tanh(torch.tanh(crossed @ v.T) @ c.T) @ u.T + weights[f"layers.{layer}.bias"]
            given = given + shares[:, expert : expert + 1] * dense * mapped
        crossed = given + crossed
    assert torch.allclose(block(dense), crossed, atol=1e-6)


def test_a_vector_cross_by_hand() -> None:
    # x0 (w x) + b + x with w = (1, 2), b = (10, 20), x = (3, -1): the product is 1
    block = Cross([Dense(2)], Options(layers=1, kind="vector"))
    weights = {"layers.0.weight": torch.tensor([[1.0, 2.0]]), "biases.0": torch.tensor([10.0, 20.0])}
    block.load_state_dict(weights)
    assert block(torch.tensor([[3.0, -1.0]])).tolist() == [[16.0, 18.0]]


@pytest.mark.parametrize(
    ("options", "parameters", "macs"),
    [  # with D = 4, L = 3, r = 2, E = 2
        ({}, 3 * (16 + 4), 3 * 16),
        ({"kind": "low_rank", "rank": 2}, 3 * (2 * 4 * 2 + 4), 2 * 3 * 4 * 2),
        ({"kind": "mixture", "rank": 2, "experts": 2}, 3 * 2 * (16 + 4) + 3 * 4 + 2 * 4, 3 * 2 * (16 + 4 + 4)),
        ({"kind": "vector"}, 2 * 4 * 3, 4 * 3),
    ],
)
def test_costs_are_those_of_the_papers(options: dict[str, object], parameters: int, macs: int) -> None:
    assert Cross.cost([Dense(4)], Options({"layers": 3, **options})) == Cost(parameters, macs)


def test_a_kind_has_its_own_options_alone() -> None:
    with pytest.raises(
        ArchitectureError, match=r"'kind' of block 'cross' must be one of full, low_rank, .*, but is 'x'"
    ):
        Cross.output([Dense(4)], Options(layers=1, kind="x"))
    with pytest.raises(ArchitectureError, match="block 'cross' has no option 'rank'"):
        Cross.output([Dense(4)], Options(layers=1, rank=2))
    with pytest.raises(ArchitectureError, match="'experts' of block 'cross' must be an integer of at least 1"):
        Cross.output([Dense(4)], Options(layers=1, kind="mixture", rank=2))


def test_a_gated_cross_by_hand() -> None:
    # x (w x + b) sigmoid(g x) + x with w = 2, b = 1, g = 0: half of x (2 x + 1), and x
    block = GatedCross([Dense(1)], Options(layers=1))
    weights = {"layers.0.weight": [[2.0]], "layers.0.bias": [1.0], "gates.0.weight": [[0.0]]}
    block.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
    assert block(torch.tensor([[3.0]])).tolist() == [[0.5 * 3 * 7 + 3]]


def test_an_open_gate_gives_the_full_cross() -> None:
    dense = torch.rand(5, 3) + 0.5
    full, gated = Cross([Dense(3)], Options(layers=2)), GatedCross([Dense(3)], Options(layers=2))
    for layer in full.layers:
        torch.nn.init.constant_(dict(layer.named_parameters())["weight"], 0.5)
    gated.layers.load_state_dict(full.layers.state_dict())
    for gate in gated.gates:
        torch.nn.init.constant_(dict(gate.named_parameters())["weight"], 1e3)
    assert torch.allclose(gated(dense), full(dense), atol=1e-5)


def test_the_cost_of_a_gated_cross() -> None:
    assert GatedCross.cost([Dense(4)], Options(layers=3)) == Cost(parameters=3 * (2 * 16 + 4), macs=2 * 3 * 16)
