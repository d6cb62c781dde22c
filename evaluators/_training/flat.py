"""Parameters of one member in one piece: whatever their number, a step is a few operations on flat vectors."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

ALIGNED = 32
"""Numbers that each parameter's place is a multiple of: matrix kernels read whole cache lines."""


class Flat:
    """Parameters as views into one vector that the model computes with, `low`, and the vector that learns, `master`.

    In single precision both are one. In a lower precision the master keeps what small steps add up to. The backward
    pass leaves gradients where it made them, and `collect` brings them to the master: no zeros that they are added to.
    """

    def __init__(self, parameters: Sequence[nn.Parameter]) -> None:
        places, total = [], 0
        self._parameters = tuple(parameters)
        for one in parameters:
            places.append(total)
            total += -(-one.numel() // ALIGNED) * ALIGNED
        self._places = tuple(places)
        first = parameters[0]
        self.low = first.detach().new_zeros(total)
        for place, one in zip(places, parameters, strict=True):
            here = slice(place, place + one.numel())
            self.low[here] = one.detach().flatten()
            one.data = self.low[here].view(one.shape)
        self.is_single = self.low.dtype == torch.float32
        self.master = nn.Parameter(self.low if self.is_single else self.low.float())
        gradient = torch.zeros_like(self.master)
        self.master.grad = gradient
        self._gradients = tuple(
            gradient[place : place + one.numel()].view(one.shape) for place, one in zip(places, parameters, strict=True)
        )
        self.average: Tensor | None = None

    def collect(self) -> None:
        """Moves the gradients from the parameters to the master; one that the last loss did not reach counts as 0."""
        for place, one in zip(self._gradients, self._parameters, strict=True):
            if one.grad is None:
                place.zero_()
            else:
                place.copy_(one.grad)
                one.grad = None

    def follow(self) -> None:
        """Lets the model compute with what the master has become."""
        if not self.is_single:
            self.low.copy_(self.master.detach())

    def add_to_average(self, share: float) -> None:
        """Moves the running mean of the weights by `share` of the way to what they are now; 1 begins it."""
        if self.average is None or share >= 1.0:
            self.average = self.master.detach().clone()
        else:
            self.average.lerp_(self.master.detach(), share)

    def use(self, *, averaged: bool) -> None:
        """Lets the model compute with averaged weights, or with the last ones."""
        found = self.average if averaged and self.average is not None else self.master.detach()
        self.low.copy_(found)

    def release(self) -> None:
        """Gives each parameter memory of its own with what `use` chose last, as the master or its average has it."""
        found = self.low if self.is_single or self.average is None else self.average
        for place, one in zip(self._places, self._parameters, strict=True):
            one.data = found[place : place + one.numel()].view(one.shape).float().clone()
            one.grad = None
