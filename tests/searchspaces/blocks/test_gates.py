"""Gates: of one vector by another, and of features by a context."""

import pytest
import torch

from searchspaces import ArchitectureError, Cost, Dense, Fields, Options
from searchspaces.blocks.feature_gate import FeatureGate
from searchspaces.blocks.sigmoid_gate import SigmoidGate

GATED = Options(ports=["gate", "value"])


def test_a_value_is_weakened_by_the_sigmoid_of_the_gate() -> None:
    gate, value = torch.randn(5, 3), torch.randn(5, 2)
    block = SigmoidGate([Dense(3), Dense(2)], GATED)
    expected = torch.sigmoid(gate @ block.gate.weight.T + block.gate.bias) * value
    assert torch.allclose(block(gate, value), expected, atol=1e-6)


def test_the_other_input_order_is_the_same_function() -> None:
    one, other = (
        SigmoidGate([Dense(3), Dense(2)], GATED),
        SigmoidGate([Dense(2), Dense(3)], Options(ports=["value", "gate"])),
    )
    other.load_state_dict(one.state_dict())
    gate, value = torch.randn(5, 3), torch.randn(5, 2)
    assert torch.equal(one(gate, value), other(value, gate))


def test_padding_is_the_same_function_with_numbers_that_only_meet_zeros() -> None:
    gate, value = torch.randn(5, 2), torch.randn(5, 3)
    lean = SigmoidGate([Dense(2), Dense(3)], GATED)
    padded = SigmoidGate([Dense(2), Dense(3)], Options({**GATED, "pad": True}))
    assert padded.gate.weight.shape == (3, 3)
    lean.gate.weight.data, lean.gate.bias.data = padded.gate.weight.data[:, :2], padded.gate.bias.data
    assert torch.allclose(lean(gate, value), padded(gate, value), atol=1e-6)


def test_a_padded_gate_is_projected_where_its_width_differs() -> None:
    # 3 * 3 for the square layer on the wider one, 3 * 4 for the projection, and their biases
    options = Options({**GATED, "pad": True, "width": 4})
    assert SigmoidGate.output([Dense(2), Dense(3)], options) == Dense(4)
    assert SigmoidGate.cost([Dense(2), Dense(3)], options) == Cost(parameters=9 + 3 + 12 + 4, macs=9 + 12)
    assert SigmoidGate.cost([Dense(2), Dense(3)], Options({**options, "width": 3})) == Cost(parameters=12, macs=9)


def test_a_feature_gate_is_twice_a_sigmoid_of_a_perceptron() -> None:
    context, fields = torch.randn(5, 3), torch.randn(5, 2, 2)
    block = FeatureGate([Dense(3), Fields(2, 2)], Options(ports=["context", "value"], hidden=[4]))
    assert block.hidden is not None
    hidden = block.hidden[0](context).clamp(min=0)
    gate = 2 * torch.sigmoid(hidden @ block.gate.weight.T + block.gate.bias)
    assert torch.allclose(block(context, fields), fields * gate.view(5, 2, 2), atol=1e-6)


def test_a_gate_of_nothing_leaves_the_value() -> None:
    block = FeatureGate([Dense(3), Dense(2)], Options(ports=["context", "value"]))
    torch.nn.init.zeros_(block.gate.weight)
    torch.nn.init.zeros_(block.gate.bias)
    value = torch.randn(5, 2)
    assert torch.equal(block(torch.randn(5, 3), value), value)


def test_a_learned_context_gates_all_examples_alike() -> None:
    block = FeatureGate([Dense(2)], Options(ports=["value"], context=3))
    ones = block(torch.ones(4, 2))
    assert torch.equal(ones, ones[:1].expand(4, 2))
    assert FeatureGate.cost([Dense(2)], Options(ports=["value"], context=3)) == Cost(parameters=3 + 8, macs=6)


@pytest.mark.parametrize("options", [{"ports": ["value"]}, {"ports": ["context"], "context": 3}])
def test_a_context_comes_in_or_is_learned(options: dict[str, object]) -> None:
    with pytest.raises(ArchitectureError, match="block 'feature_gate' needs "):
        FeatureGate.output([Dense(2)], Options(options))


def test_a_context_is_not_both() -> None:
    message = "needs either inputs at port 'context' or the option 'context', the width of a learned one, but has"
    with pytest.raises(ArchitectureError, match=message):
        FeatureGate.output([Dense(2), Dense(2)], Options(ports=["value", "context"], context=3))
