"""Several tables of one vocabulary.

Guo et al. (2024), On the embedding collapse when scaling up recommendation models.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from searchspaces._block_options import check_names, whole_number
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import chosen_fields
from searchspaces.block import Source, Table
from searchspaces.embeddings._tables import Rows, new_table, table_cost

__all__ = ["MultiEmbedding"]


class MultiEmbedding(Source):
    """Looks every id up in K tables: e_k(id) = E_k[id], k = first .. first + K - 1; the sets come one after the other.

    In the paper each set has interactions of its own, whose outputs are averaged: give each a node with `tables: 1`
    and another `first`. One node with K tables lets the vectors of all sets interact. With K = 1 and `first` 0 it is
    `full`. Options: `dim`, `tables` (K), `first` (number of the first table, 0 where not given), and `fields`, all
    where not given. Parameters: K V d.
    """

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        dim = self.output(schema, options).dim
        fields = chosen_fields("multi_embedding", schema, options, Kind.CATEGORICAL)
        sizes = [field.vocabulary_size for field in fields]
        first, self._parts = _first(options), {}
        for number in range(first, first + whole_number("multi_embedding", options, "tables")):
            setattr(self, f"table_{number}", new_table(sum(sizes), dim))
            # the first set has the names, and so the first draw, of a full table; the others one of their own
            suffix = f"#{number}" if number else ""
            self._parts[f"table_{number}"] = tuple(
                (f"{field.name}{suffix}", size) for field, size in zip(fields, sizes, strict=True)
            )
        self.rows = Rows(schema, fields, sizes)

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per table and field."""
        check_names("multi_embedding", options, ("dim", "tables", "first", "fields"))
        fields = chosen_fields("multi_embedding", schema, options, Kind.CATEGORICAL)
        _first(options)
        sets = whole_number("multi_embedding", options, "tables")
        return Fields(sets * len(fields), whole_number("multi_embedding", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """One vector per table and id of each field."""
        fields = chosen_fields("multi_embedding", schema, options, Kind.CATEGORICAL)
        rows = whole_number("multi_embedding", options, "tables") * sum(field.vocabulary_size for field in fields)
        return table_cost(rows, whole_number("multi_embedding", options, "dim"))

    def tables(self) -> Mapping[str, Table]:
        """The K tables, a part of each for each field."""
        return {name: Table(getattr(self, name), parts) for name, parts in self._parts.items()}

    def lookups(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"], table: str
    ) -> Int[Tensor, "batch chosen"]:
        """One row for each field, the same in every table."""
        rows: Tensor = self.rows(categorical)
        return rows

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch chosen dim"]],
    ) -> Float[Tensor, "batch tokens dim"]:
        """The rows of the ids in each table."""
        return torch.cat([vectors[name] for name in self._parts], dim=1)


def _first(options: Options) -> int:
    value = options.get("first", 0)
    if type(value) is not int or not 0 <= value < 1 << 20:
        raise ArchitectureError(
            f"'first' of block 'multi_embedding' must be the number of a table from 0 on, but is {value!r}"
        )
    return value
