"""What sources with tables share: a table without a first draw, its cost, and the row numbers of ids.

Letters: `chosen` fields that the source takes, of all `categorical` ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate

import torch
from jaxtyping import Int
from torch import Tensor, nn

from searchspaces._schema import FeatureSchema, Field
from searchspaces._shapes import Cost
from searchspaces._source_options import columns_of

BYTES_PER_VALUE = 4
OPTIMIZER_BYTES_PER_ROW = 4
"""Row-wise AdaGrad keeps one sum a row."""


def new_table(rows: int, dim: int) -> nn.Embedding:
    """A table whose values `build` will draw."""
    # not nn.Embedding(rows, dim): its draw would be thrown away, and takes seconds on tables of millions of rows
    table: nn.Embedding = nn.Embedding.from_pretrained(  # type: ignore[no-untyped-call]
        torch.empty(rows, dim), freeze=False
    )
    return table


def table_cost(rows: int, dim: int) -> Cost:
    """Cost of a table; a look-up multiplies nothing."""
    return Cost(
        parameters=rows * dim,
        embedding_bytes=BYTES_PER_VALUE * rows * dim,
        optimizer_bytes=OPTIMIZER_BYTES_PER_ROW * rows,
    )


def offsets(sizes: Sequence[int]) -> Tensor:
    """First row of each part of a table, int64 [parts]."""
    return torch.tensor([0, *accumulate(sizes[:-1])], dtype=torch.int64)


class Ids(nn.Module):
    """Ids of some fields, each modulo a size of its own.

    The schema and the options tell them, so that they are no part of what a stored model must hold.
    """

    columns: Tensor
    sizes: Tensor

    def __init__(self, schema: FeatureSchema, fields: Sequence[Field], sizes: Sequence[int]) -> None:
        super().__init__()
        columns = columns_of(schema, fields) if fields else []
        self._takes_all = columns == list(range(len(schema.categorical)))
        self.register_buffer("columns", torch.tensor(columns, dtype=torch.int64), persistent=False)
        self.register_buffer("sizes", torch.tensor(sizes, dtype=torch.int64), persistent=False)

    def forward(self, categorical: Int[Tensor, "batch categorical"]) -> Int[Tensor, "batch chosen"]:
        """The ids, int64."""
        taken = categorical if self._takes_all else categorical.index_select(1, self.columns)
        return taken % self.sizes


class Rows(nn.Module):
    """Rows of a table in which the parts of some fields lie under each other, one part of each size."""

    offsets: Tensor

    def __init__(self, schema: FeatureSchema, fields: Sequence[Field], sizes: Sequence[int]) -> None:
        super().__init__()
        self.ids = Ids(schema, fields, sizes)
        self.register_buffer("offsets", offsets(sizes), persistent=False)

    def forward(self, categorical: Int[Tensor, "batch categorical"]) -> Int[Tensor, "batch chosen"]:
        """One row for each field, int64."""
        rows: Tensor = self.ids(categorical) + self.offsets
        return rows
