"""How the numbers of a table's rows are kept: as they are, or as bytes with a scale for each row."""

from __future__ import annotations

from typing import Protocol

import torch
from jaxtyping import Float, Int
from torch import Tensor

LARGEST = 127
"""Codes go from -127 to 127."""

SMALLEST_SCALE = 1e-12  # of a row of zeros, which has none of its own


class Kept(Protocol):
    """Rows of numbers that can be read and moved."""

    def read(self, rows: Int[Tensor, " n"]) -> Float[Tensor, "n numbers"]:
        """Some rows."""
        ...

    def move(self, rows: Int[Tensor, " n"], step: Float[Tensor, "n numbers"], rate: float) -> None:
        """Takes `rate` times the step from different rows."""
        ...

    def move_all(self, step: Float[Tensor, "rows numbers"], rate: float) -> None:
        """Takes `rate` times the step from every row."""
        ...

    def all(self) -> Float[Tensor, "rows numbers"]:
        """Every row."""
        ...

    def replace(self, values: Float[Tensor, "rows numbers"]) -> None:
        """Puts others in the place of every row."""
        ...


class Floats:
    """Single precision."""

    def __init__(self, values: Float[Tensor, "rows numbers"]) -> None:
        self._values = values.detach().clone()

    def read(self, rows: Int[Tensor, " n"]) -> Float[Tensor, "n numbers"]:
        """Some rows."""
        return self._values.index_select(0, rows)

    def move(self, rows: Int[Tensor, " n"], step: Float[Tensor, "n numbers"], rate: float) -> None:
        """Takes `rate` times the step from different rows."""
        self._values.index_add_(0, rows, step, alpha=-rate)

    def move_all(self, step: Float[Tensor, "rows numbers"], rate: float) -> None:
        """Takes `rate` times the step from every row."""
        self._values.add_(step, alpha=-rate)

    def all(self) -> Float[Tensor, "rows numbers"]:
        """Every row, not a copy."""
        return self._values

    def replace(self, values: Float[Tensor, "rows numbers"]) -> None:
        """Puts others in the place of every row."""
        self._values.copy_(values)


class Bytes:
    """A byte for each number, and for each row one scale for each of `members` models that lie side by side.

    A step is mostly smaller than the space between two codes: rounded to the nearest one it would be lost. So what a
    step moves is rounded up or down at random, right on average (Zhang et al. 2018, Training with low-precision
    embedding tables); `seed` is that of these draws, which copies of one table must share.
    """

    def __init__(self, values: Float[Tensor, "rows numbers"], *, members: int, seed: int) -> None:
        self._members = members
        self._codes = torch.empty_like(values, dtype=torch.int8)
        self._scales = values.new_empty(len(values), members)
        self._rng = torch.Generator(values.device).manual_seed(seed)
        self.replace(values.detach())

    def read(self, rows: Int[Tensor, " n"]) -> Float[Tensor, "n numbers"]:
        """Some rows."""
        return self._decoded(self._codes.index_select(0, rows), self._scales.index_select(0, rows))

    def move(self, rows: Int[Tensor, " n"], step: Float[Tensor, "n numbers"], rate: float) -> None:
        """Takes `rate` times the step from different rows."""
        codes, scales = self._coded(self.read(rows).sub_(step, alpha=rate), is_drawn=True)
        self._codes.index_copy_(0, rows, codes)
        self._scales.index_copy_(0, rows, scales)

    def move_all(self, step: Float[Tensor, "rows numbers"], rate: float) -> None:
        """Takes `rate` times the step from every row."""
        self._codes, self._scales = self._coded(self.all().sub_(step, alpha=rate), is_drawn=True)

    def all(self) -> Float[Tensor, "rows numbers"]:
        """Every row."""
        return self._decoded(self._codes, self._scales)

    def replace(self, values: Float[Tensor, "rows numbers"]) -> None:
        """Puts others in the place of every row, rounded to the nearest code: equal values stay equal."""
        self._codes, self._scales = self._coded(values, is_drawn=False)

    def _decoded(self, codes: Tensor, scales: Tensor) -> Float[Tensor, "n numbers"]:
        each = self._by_member(codes).float()
        return (each * scales.unsqueeze(2)).view(codes.shape)

    def _coded(self, values: Tensor, *, is_drawn: bool) -> tuple[Tensor, Tensor]:
        each = self._by_member(values)
        scales = each.abs().amax(2).div_(LARGEST).clamp_(min=SMALLEST_SCALE)
        scaled = each / scales.unsqueeze(2)
        if is_drawn:
            draws = torch.rand(scaled.shape, generator=self._rng, device=scaled.device)
            rounded = scaled.add_(draws).floor_()
        else:
            rounded = scaled.round_()
        return rounded.clamp_(-LARGEST, LARGEST).to(torch.int8).view(values.shape), scales

    def _by_member(self, values: Tensor) -> Tensor:
        return values.reshape(len(values), self._members, values.shape[1] // self._members)
