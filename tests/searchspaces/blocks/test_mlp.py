"""The perceptron's layers and options."""

import pytest
import torch

from searchspaces import ArchitectureError, Cost, Dense, Fields, Options
from searchspaces.blocks.mlp import MLP


def test_it_is_linear_and_relu_on_the_concatenation() -> None:
    dense, fields = torch.randn(5, 3), torch.randn(5, 2, 2)
    block = MLP([Dense(3), Fields(2, 2)], Options(width=4))
    layer = block.layers[0]
    assert isinstance(layer, torch.nn.Linear)
    hidden = torch.cat([dense, fields.reshape(5, 4)], dim=1) @ layer.weight.T + layer.bias
    assert torch.allclose(block(dense, fields), hidden.clamp(min=0), atol=1e-6)


def test_several_widths_make_several_layers() -> None:
    block = MLP([Dense(3)], Options(widths=[8, 4]))
    assert [tuple(parameter.shape) for parameter in block.parameters()] == [(8, 3), (8,), (4, 8), (4,)]


def test_dropout_is_off_in_evaluation() -> None:
    block = MLP([Dense(3)], Options(width=64, dropout=0.5))
    dense = torch.randn(5, 3)
    assert not torch.equal(block(dense), block(dense))
    block.eval()
    assert torch.equal(block(dense), block(dense))


@pytest.mark.parametrize("options", [Options(), Options(width=4, widths=[4])])
def test_it_needs_one_of_width_and_widths(options: Options) -> None:
    with pytest.raises(ArchitectureError, match="block 'mlp' needs either 'width' or 'widths', but has"):
        MLP.output([Dense(3)], options)


def test_a_norm_stands_between_projection_and_activation() -> None:
    dense = torch.randn(8, 3)
    block = MLP([Dense(3)], Options(width=4, norm="batch", activation="tanh"))
    layer = block.layers[0]
    projected = layer(dense)
    normal = (projected - projected.mean(0)) / torch.sqrt(projected.var(0, unbiased=False) + 1e-5)
    assert torch.allclose(block(dense), torch.tanh(normal), atol=1e-5)


def test_a_norm_costs_two_numbers_for_each_unit() -> None:
    assert MLP.cost([Dense(3)], Options(widths=[8, 4], norm="batch")) == Cost(parameters=32 + 36 + 24, macs=24 + 32)


def test_options_that_name_the_defaults_change_nothing() -> None:
    plain, named = MLP([Dense(3)], Options(width=4)), MLP([Dense(3)], Options(width=4, norm="none", activation="relu"))
    assert plain.state_dict().keys() == named.state_dict().keys()
