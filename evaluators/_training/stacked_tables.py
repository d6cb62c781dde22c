"""Embedding tables of a cohort, stacked side by side: one look at the ids, one update, own weights for each.

Letters: `rows` of a table, `touched` rows that a batch looks at, `width` the dimensions of all columns together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn

from evaluators._training.lookup import Lookup

EPSILON = 1e-8


@dataclass(frozen=True, eq=False)
class Column:
    """The table of one member in the stack: whose it is, and how it learns."""

    member: int
    node: int
    name: str
    table: nn.Embedding
    learning_rate: float
    decay: float

    @property
    def dim(self) -> int:
        """Its share of the width."""
        return self.table.embedding_dim


class StackedTables:
    """Tables whose ids stand for the same rows, trained by row-wise AdaGrad on the rows that a batch touches.

    AdaGrad (Duchi, Hazan and Singer 2011, Adaptive subgradient methods) with one sum of mean squared gradients a row,
    as recommendation systems keep it. A row that no batch touches never changes, and its weight decay, which is
    decoupled (Loshchilov and Hutter 2019), is due at its next touch alone.
    """

    def __init__(self, columns: Sequence[Column], *, dtype: torch.dtype) -> None:
        self.columns = tuple(columns)
        self.rows = columns[0].table.num_embeddings
        self._dtype = dtype
        self._dims = [one.dim for one in columns]
        weights = [one.table.weight.detach() for one in columns]
        self.weight: Tensor = torch.cat(weights, dim=1)
        for one in columns:  # or every row would be held twice
            one.table.weight.data = self.weight.new_empty(0)
        self.average: Tensor | None = None
        self._squares = self.weight.new_zeros(self.rows, len(columns))
        self._rates = self.weight.new_tensor([one.learning_rate for one in columns])
        self._decays = self.weight.new_tensor([one.decay * one.learning_rate for one in columns])
        self._has_decay = any(one.decay for one in columns)
        spread = [at for at, dim in enumerate(self._dims) for _ in range(dim)]
        self._spread = torch.tensor(spread, device=self.weight.device)
        self._old: Tensor | None = None
        self._leaves: list[Tensor] = []

    def take(self, lookup: Lookup) -> list[Float[Tensor, "touched dim"]]:
        """The touched rows of each column, as leaves that a backward pass leaves gradients in."""
        self._old = self.weight.index_select(0, lookup.touched)
        self._leaves = [
            one.to(self._dtype, copy=True, memory_format=torch.contiguous_format).requires_grad_()
            for one in torch.split(self._old, self._dims, dim=1)
        ]
        return self._leaves

    def update(self, lookup: Lookup) -> None:
        """Moves the touched rows against the gradients in the leaves that `take` gave."""
        assert self._old is not None
        gradients = [torch.zeros_like(one) if one.grad is None else one.grad for one in self._leaves]
        gradient = torch.cat(gradients, dim=1).float()
        squares = self._squares.index_select(0, lookup.touched) + self._mean_squares(gradient)
        self._squares.index_copy_(0, lookup.touched, squares)
        rates = (self._rates / (squares.sqrt_().add_(EPSILON))).index_select(1, self._spread)
        if self._has_decay:
            self._old.mul_((1.0 - self._decays).index_select(0, self._spread))
        self.weight.index_copy_(0, lookup.touched, self._old.addcmul_(gradient, rates, value=-1.0))
        self._old, self._leaves = None, []

    def add_to_average(self, share: float) -> None:
        """Moves the running mean of the weights by `share` of the way to what they are now; 1 begins it."""
        if self.average is None or share >= 1.0:
            self.average = self.weight.clone()
        else:
            self.average.lerp_(self.weight, share)

    def write_back(self, *, averaged: bool) -> None:
        """Gives each member its table, with averaged weights or the last ones."""
        found = self.average if averaged and self.average is not None else self.weight
        for column, values in zip(self.columns, torch.split(found, self._dims, dim=1), strict=True):
            column.table.weight.data = values.clone(memory_format=torch.contiguous_format)

    def without(self, member: int) -> StackedTables | None:
        """The same tables without those of a member that has left; None where nothing remains."""
        kept = [at for at, one in enumerate(self.columns) if one.member != member]
        if len(kept) == len(self.columns):
            return self
        self.write_back(averaged=False)
        if not kept:
            return None
        wide = torch.cat([torch.nonzero(self._spread == at).flatten() for at in kept])
        rest = StackedTables([self.columns[at] for at in kept], dtype=self._dtype)
        rest._squares = self._squares[:, kept].clone()
        rest.average = None if self.average is None else self.average.index_select(1, wide)
        return rest

    def _mean_squares(self, gradient: Float[Tensor, "touched width"]) -> Float[Tensor, "touched columns"]:
        squares = gradient.square()
        if len(set(self._dims)) == 1:
            return squares.view(len(squares), len(self._dims), self._dims[0]).mean(2)
        return torch.stack([one.mean(1) for one in torch.split(squares, self._dims, dim=1)], dim=1)
