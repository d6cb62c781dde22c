"""Which rows of a table a batch touches, once for all candidates that share the ids.

Letters: `lookups` places where the batch looks something up (examples x fields), `touched` different rows among them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import embedding_bag

MOST_FLAGS = 1 << 24
"""Rows of a table up to which touched rows are found by marking them; beyond, by sorting."""


@dataclass(frozen=True, eq=False)
class Lookup:
    """The touched rows, ascending, and where each is looked up.

    `places` says for each lookup which of the touched rows it takes, `order` lists the lookups of the first touched
    row, then those of the second and so on, and `starts` says where each begins in it.
    """

    touched: Int[Tensor, " touched"]
    places: Int[Tensor, " lookups"]
    order: Int[Tensor, " lookups"]
    starts: Int[Tensor, " touched"]
    fields: int

    @classmethod
    def of(cls, rows: Int[Tensor, "batch fields"], total: int, device: torch.device) -> Lookup:
        """Finds what a batch touches in a table of `total` rows; on the CPU, since the batch was put together there."""
        flat = rows.cpu().numpy().reshape(-1)
        touched, places = _marked(flat, total) if total <= MOST_FLAGS else _sorted(flat)
        narrow = np.uint16 if len(touched) < 1 << 16 else np.int32  # numpy sorts 16 bits in linear time
        order = np.argsort(places.astype(narrow), kind="stable")
        counts = np.bincount(places, minlength=len(touched))
        starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
        first, second, third, fourth = (torch.from_numpy(one).to(device) for one in (touched, places, order, starts))
        return cls(first, second, third, fourth, rows.shape[1])

    def to(self, device: torch.device) -> Lookup:
        """The same on another device."""
        touched, places, order, starts = (
            one.to(device) for one in (self.touched, self.places, self.order, self.starts)
        )
        return Lookup(touched, places, order, starts, self.fields)

    @property
    def bytes(self) -> int:
        """Memory that it takes."""
        return 8 * (2 * len(self.touched) + 2 * len(self.places))

    def take(self, vectors: Float[Tensor, "touched dim"]) -> Float[Tensor, "batch fields dim"]:
        """The vector of every lookup; its backward pass adds up what belongs to one row, in a fixed order."""
        taken: Tensor = _Take.apply(vectors, self)  # type: ignore[no-untyped-call]  # torch leaves it untyped
        return taken.view(-1, self.fields, vectors.shape[1])


class _Take(torch.autograd.Function):
    """A gather whose backward pass is a sum over sorted places: faster than scattering, and the same each time."""

    @staticmethod
    def forward(ctx: torch.autograd.function.FunctionCtx, vectors: Tensor, lookup: Lookup) -> Tensor:
        ctx.lookup = lookup  # type: ignore[attr-defined]
        return vectors.index_select(0, lookup.places)

    @staticmethod
    def backward(ctx: torch.autograd.function.FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        lookup: Lookup = ctx.lookup  # type: ignore[attr-defined]
        return embedding_bag(lookup.order, gradient.contiguous(), lookup.starts, mode="sum"), None


def _marked(rows: NDArray[np.int64], total: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    marks = np.zeros(total, bool)
    marks[rows] = True
    touched = np.flatnonzero(marks)
    place = np.empty(total, np.int64)
    place[touched] = np.arange(len(touched))
    return touched, place[rows]


def _sorted(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    touched, places = np.unique(rows, return_inverse=True)
    return touched, places.reshape(-1)
