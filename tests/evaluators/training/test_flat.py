"""Flat parameters: views that compute, a master that learns."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from evaluators._training.flat import Flat


def _layer(dtype: torch.dtype = torch.float32) -> nn.Linear:
    layer = nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.arange(6.0).view(2, 3))
        layer.bias.zero_()
    return layer.to(dtype)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_step_of_the_master_is_what_the_model_computes_with(dtype: torch.dtype) -> None:
    layer = _layer(dtype)
    flat = Flat(list(layer.parameters()))
    optimizer = torch.optim.SGD([flat.master], lr=0.5)
    torch.autograd.backward(layer(torch.ones(1, 3, dtype=dtype)).sum())
    flat.collect()
    optimizer.step()
    flat.follow()
    assert layer.weight.tolist() == [[-0.5, 0.5, 1.5], [2.5, 3.5, 4.5]]
    assert layer.bias.tolist() == [-0.5, -0.5]
    assert layer.weight.grad is None


def test_a_parameter_that_no_loss_reached_stays_where_it_is() -> None:
    layer = _layer()
    flat = Flat(list(layer.parameters()))
    torch.autograd.backward(layer(torch.ones(1, 3)).sum())
    flat.collect()
    torch.autograd.backward((layer.bias * 2.0).sum())
    flat.collect()
    assert flat.master.grad is not None
    assert flat.master.grad[:6].tolist() == [0.0] * 6
    assert flat.master.grad[32:34].tolist() == [2.0, 2.0]


def test_the_master_keeps_steps_that_low_precision_would_lose() -> None:
    layer = _layer(torch.bfloat16)
    flat = Flat(list(layer.parameters()))
    for _ in range(64):
        flat.master.data -= 2.0**-10
        flat.follow()
    assert layer.weight[1, 2].item() == 4.9375  # 5 - 64/1024; one step alone rounds back to 5


def test_released_parameters_have_the_average_unrounded() -> None:
    layer = _layer(torch.bfloat16)
    flat = Flat(list(layer.parameters()))
    flat.add_to_average(1.0)
    flat.master.data += 2.0**-9
    flat.add_to_average(0.5)
    flat.use(averaged=True)
    flat.release()
    assert layer.weight.dtype == torch.float32
    assert layer.weight[1, 2].item() == 5.0 + 2.0**-10
    assert layer.weight.grad is None
