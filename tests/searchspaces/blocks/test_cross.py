"""The cross network against its formula and a polynomial."""

import torch

from searchspaces import Dense, Fields, Options
from searchspaces.blocks.cross import Cross


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
