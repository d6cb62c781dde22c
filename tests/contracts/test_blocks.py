"""What every interaction block promises, checked on every block that the room holds."""

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from searchspaces import ArchitectureError, Dense, Fields, Options, Shape, load_plugin, plugin_names
from searchspaces.block import Block
from searchspaces.build import lower_block

ROOM = "searchspaces.blocks"
OPTIONS = [
    Options(),
    Options(width=6),
    Options(widths=[6, 4]),
    Options(layers=2),
    Options(dim=4),
    Options(dim=4, dense_tokens=True),
    Options(first_order=False),
    Options(bias=False),
    Options(width=6, bias=False),
    *(Options(width=6, norm=norm, activation=name) for norm, name in (("batch", "silu"), ("layer", "none"))),
    Options(layers=2, kind="low_rank", rank=2),
    Options(layers=2, kind="mixture", rank=2, experts=3),
    Options(layers=2, kind="mixture", rank=2, experts=1),
    Options(layers=2, kind="vector"),
    *(
        Options({**options, "ports": names})
        for ports in (("value", "gate"), ("value", "context"), ("value", "mask"), ("first", "second"))
        for names in (ports, ports[::-1], (*ports, ports[0]))
        for options in ({}, {"width": 6}, {"heads": 2}, {"hidden": [3]}, {"pad": True}, {"width": 6, "ratio": 2.0})
    ),
    Options(ports=["value"], context=3, hidden=[16]),
    Options(width=6, residual="sum", norm="layer"),
    Options(width=6, field_gate=True),
    Options(width=6, experts=3),
    Options(width=6, experts=3, top_k=2, balance=0.1),
    Options(width=6, experts=3, layers=2),
    Options(pad=True),
    Options(tokens=2, dim=3, layer_norm=True),
    Options(tokens=5, dim=1),
]
FIELD_OPTIONS = [
    Options(tokens=3),
    Options(tokens=3, dense_tokens=True),
    Options(tokens=4, layer_norm=True),
    Options(tokens=4, layer_norm=True, activation="none"),
    Options(tokens=3, bias=True),
    Options(tokens=3, channels=2, kernel=5),
    Options(maps=[3, 2]),
    Options(width=6, heads=2, scale=True),
    Options(width=4, residual=False, layer_norm=True),
    Options(width=4, layer_norm=True, dim=2),
    Options(heads=2, hidden=6),
    Options(tokens=3, token_norm=True, heads=2, gain=0.5),
    Options(reduction=1),
    Options(reduction=2, excitation="sigmoid", dim=4),
    Options(weights="field"),
    Options(weights="pair", dim=4),
    Options(weights="pair", each_input=True),
    Options(fm_tokens=2, linear_tokens=1, rank=3, widths=[6]),
    Options(fm_tokens=1, linear_tokens=2, rank=2, widths=[6, 5], attention=4, dim=4),
    Options(modules=[["cross", [["layers", 1]]], ["token_linear", [["tokens", 2]]]], tokens=2),
    Options(modules=["dot_product", ["self_attention", [["width", 6]]]], tokens=3, ensemble="weighted_sum", dim=4),
    Options(modules=["fm", ["mlp", [["width", 3]]]], tokens=2, ensemble="sum", layer_norm=False),
    Options(partition=[[1], [0]]),
    Options(partition=[[1], [2, 0]], module=["mlp", [["width", 6]]], tokens=2, token_dim=3),
    Options(partition=[[0], list(range(1, 100))], module=["token_linear", [["tokens", 2]]]),
]
OPTIONS += FIELD_OPTIONS
INPUTS: list[list[Shape]] = [
    [Dense(1)],
    [Dense(5)],
    [Dense(1), Dense(1)],
    [Dense(4), Dense(4)],
    [Fields(1, 4)],
    [Fields(2, 4)],
    [Fields(3, 1)],
    [Fields(100, 4)],
    [Dense(5), Fields(2, 4), Dense(3)],
    [Fields(2, 4), Dense(4), Fields(3, 2)],
    [Fields(1, 4), Dense(4)],
    [Fields(2, 4), Fields(2, 4)],
]
ROWS = 64


def block(name: str) -> type[Block]:
    return load_plugin(ROOM, name)


def cases(name: str) -> list[tuple[list[Shape], Options]]:
    """Every pair of inputs and options that the block accepts."""
    accepted = []
    for options in OPTIONS:
        for inputs in INPUTS:
            try:
                block(name).output(inputs, options)
            except ArchitectureError:
                continue
            accepted.append((inputs, options))
    return accepted


def tensors(inputs: Sequence[Shape]) -> list[Tensor]:
    generator = torch.Generator().manual_seed(5)
    sizes = [(one.width,) if isinstance(one, Dense) else (one.tokens, one.dim) for one in inputs]
    return [torch.randn(ROWS, *size, generator=generator).requires_grad_() for size in sizes]


def size_of(shape: Shape) -> tuple[int, ...]:
    return (ROWS, shape.width) if isinstance(shape, Dense) else (ROWS, shape.tokens, shape.dim)


@pytest.fixture(params=plugin_names(ROOM))
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_a_block_accepts_some_inputs(name: str) -> None:
    assert cases(name), f"none of the OPTIONS and INPUTS of this file suit {name!r}; add some that do"


def test_the_output_has_the_shape_that_was_told(name: str) -> None:
    for inputs, options in cases(name):
        given = block(name)(inputs, options)(*tensors(inputs))
        assert given.shape == size_of(block(name).output(inputs, options))
        assert torch.isfinite(given).all()


def test_the_parameters_are_those_of_the_closed_form(name: str) -> None:
    for inputs, options in cases(name):
        built = sum(one.numel() for one in block(name)(inputs, options).parameters())
        assert block(name).cost(inputs, options).parameters == built


def test_twice_the_multiply_adds_are_the_flops_that_torch_counts(name: str) -> None:
    for inputs, options in cases(name):
        built = block(name)(inputs, options)
        with FlopCounterMode(display=False) as counter:
            built(*tensors(inputs))
        assert block(name).cost(inputs, options).flops * ROWS == counter.get_total_flops()


def test_every_parameter_and_every_input_gets_a_gradient(name: str) -> None:
    for inputs, options in cases(name):
        torch.manual_seed(3)
        built, given = block(name)(inputs, options), tensors(inputs)
        output = built(*given)
        (output * torch.randn_like(output)).sum().backward()
        for tensor in [*given, *built.parameters()]:
            assert tensor.grad is not None
            assert tensor.grad.abs().sum() > 0


def test_in_low_precision_it_gives_finite_numbers_and_gradients(name: str) -> None:
    for inputs, options in cases(name):
        built, given = block(name)(inputs, options), [one.bfloat16() for one in tensors(inputs)]
        lower_block(built, torch.bfloat16)
        output = built(*given)
        output.float().sum().backward()
        assert output.dtype == torch.bfloat16 or name == "sum_logit"  # an output
        assert torch.isfinite(output).all()
        assert all(one.grad is not None and torch.isfinite(one.grad).all() for one in built.parameters())


def test_what_begins_at_one_number_is_a_parameter(name: str) -> None:
    for inputs, options in cases(name):
        built = block(name)(inputs, options)
        assert built.start().keys() <= dict(built.named_parameters()).keys()


def test_rows_do_not_see_each_other(name: str) -> None:
    for inputs, options in cases(name):
        built, given = block(name)(inputs, options).eval(), tensors(inputs)
        first = built(*[one[:1] for one in given])
        assert torch.allclose(built(*given)[:1], first, atol=1e-4)


def test_an_unknown_option_is_refused(name: str) -> None:
    inputs, options = cases(name)[0]
    with pytest.raises(ArchitectureError, match=f"block '{name}' has no option 'nonsense'"):
        block(name).output(inputs, Options({**options, "nonsense": 1}))


def test_the_constructor_refuses_what_output_refuses(name: str) -> None:
    inputs, options = cases(name)[0]
    with pytest.raises(ArchitectureError):
        block(name)(inputs, Options({**options, "nonsense": 1}))
