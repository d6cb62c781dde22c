"""What one thread can do: products of the matrices that a model multiplies, and copies. Seconds are the processor's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial

import torch
from torch import Tensor, nn

from searchspaces.build import RankingModel

COPIED_NUMBERS = 1 << 25
REPEATS = 7


def layer_shapes(model: RankingModel, batch: int) -> list[tuple[int, int, int]]:
    """Rows, inputs and outputs of each affine layer between sources and output: what is multiplied in low precision."""
    layers = [layer for block in model.hidden() for layer in block.modules() if isinstance(layer, nn.Linear)]
    return [(batch, one.in_features, one.out_features) for one in layers]


def matrix_rate(shapes: Sequence[tuple[int, int, int]], dtype: torch.dtype) -> float:
    """Operations a second over layers of these shapes, forward and both products of the backward pass.

    Each product counts with its best time, so this is what a loop without anything else would reach.
    """
    operations = seconds = 0.0
    for rows, wide, out in sorted(set(shapes)):
        times = shapes.count((rows, wide, out))
        units, weight, gradient = (torch.randn(*size).to(dtype) for size in ((rows, wide), (out, wide), (rows, out)))
        spent = sum(_best(partial(torch.mm, one, other)) for one, other in _products(units, weight, gradient))
        operations += times * 6.0 * rows * wide * out
        seconds += times * spent
    return operations / seconds


def copy_rate() -> float:
    """Bytes a second, read and written, of a copy that no cache holds."""
    source = torch.zeros(COPIED_NUMBERS)
    target = torch.empty_like(source)
    return 2.0 * source.nbytes / _best(partial(target.copy_, source))


def _products(units: Tensor, weight: Tensor, gradient: Tensor) -> list[tuple[Tensor, Tensor]]:
    """As the three products come in training: outputs, gradients of the inputs, gradients of the weights."""
    return [(units, weight.t()), (gradient, weight), (gradient.t(), units)]


def _best(action: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(REPEATS):
        started = time.process_time()
        action()
        best = min(best, time.process_time() - started)
    return best
