"""Embedding tables that candidates share: equal ids of one embedding choice have equal rows, and long ones begin alike.

Letters: `rows` of a table, `touched` rows that a batch looks at, `dim` numbers of a row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from evaluators._training.lookup import Lookup
from evaluators._training.stacked_tables import EPSILON
from searchspaces.block import Table, number_of
from searchspaces.build import EMBEDDING_STD


def table_key(source: str, table: Table) -> str:
    """Equal for tables that are shared: of one embedding choice, whose ids stand for the same rows."""
    return f"{source}|{table.signature}"


@dataclass(eq=False)
class SharedTable:
    """As many numbers a row as the widest candidate so far, trained by row-wise AdaGrad on the rows that are touched.

    A number is drawn from (seed, part, column, row), so that it is the same whenever it is drawn.
    """

    parts: tuple[tuple[str, int], ...]
    centre: float
    seed: int
    weight: Float[Tensor, "rows dim"]
    squares: Float[Tensor, " rows"]

    @classmethod
    def of(cls, table: Table, seed: int, *, like: Tensor) -> SharedTable:
        """A table without columns."""
        rows = sum(count for _, count in table.parts)
        return cls(table.parts, table.centre, seed, like.new_zeros(rows, 0), like.new_zeros(rows))

    def view(self, dim: int) -> Float[Tensor, "rows dim"]:
        """The first `dim` columns: a view of what is trained where it has so many, else with others drawn beside it."""
        known = self.weight.shape[1]
        if dim <= known:
            return self.weight[:, :dim]
        return torch.cat([self.weight, self._drawn(known, dim)], dim=1)

    def widen(self, dim: int) -> None:
        """Has `dim` columns or more from now on."""
        if dim > self.weight.shape[1]:
            self.weight = self.view(dim)

    def take(self, lookup: Lookup, dim: int) -> Float[Tensor, "touched dim"]:
        """The touched rows, as a leaf that a backward pass leaves gradients in."""
        rows = self.weight.index_select(0, lookup.touched)
        return rows[:, :dim].clone(memory_format=torch.contiguous_format).requires_grad_()

    def learn(self, lookup: Lookup, gradients: Sequence[Float[Tensor, "touched dim"]], *, rate: float) -> None:
        """A step against the sum of the gradients, each of the first columns."""
        widest = max(one.shape[1] for one in gradients)
        total = self.weight.new_zeros(len(lookup.touched), widest)
        for one in gradients:
            total[:, : one.shape[1]] += one
        squares = self.squares.index_select(0, lookup.touched) + total.square().mean(1)
        self.squares.index_copy_(0, lookup.touched, squares)
        old = self.weight.index_select(0, lookup.touched)
        old[:, :widest] -= rate * total / (squares.sqrt() + EPSILON).unsqueeze(1)
        self.weight.index_copy_(0, lookup.touched, old)

    def _drawn(self, first: int, last: int) -> Float[Tensor, "rows columns"]:
        columns = []
        for column in range(first, last):
            rngs = [
                (np.random.default_rng(number_of(f"{self.seed}|{name}|{column}")), rows) for name, rows in self.parts
            ]
            columns.append(np.concatenate([rng.standard_normal(rows, dtype=np.float32) for rng, rows in rngs]))
        drawn = torch.from_numpy(np.stack(columns, axis=1)).to(self.weight)
        return self.centre + EMBEDDING_STD * drawn
