"""One table row per id: embeddings of categorical fields."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from searchspaces._block_options import check_names, whole_number
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import chosen_fields, columns_of
from searchspaces.block import Source, Table
from searchspaces.embeddings._tables import new_table, offsets, table_cost

__all__ = ["Full"]


class Full(Source):
    """Looks up a vector of `dim` numbers per categorical field, all fields in one gather.

    The option `fields` names the fields to take; all where it is not given. The fields' tables lie under each other
    in `table`; ids are taken modulo the field's vocabulary.
    """

    sizes: Tensor
    offsets: Tensor
    columns: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        dim = self.output(schema, options).dim
        fields = chosen_fields("full", schema, options, Kind.CATEGORICAL)
        sizes = [field.vocabulary_size for field in fields]
        self._parts = tuple((field.name, field.vocabulary_size) for field in fields)
        self._takes_all = len(fields) == len(schema.categorical)
        self.table = new_table(sum(sizes), dim)
        self.register_buffer("sizes", torch.tensor(sizes))
        self.register_buffer("offsets", offsets(sizes))
        self.register_buffer("columns", torch.tensor(columns_of(schema, fields)), persistent=False)

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("full", options, ("dim", "fields"))
        fields = chosen_fields("full", schema, options, Kind.CATEGORICAL)
        return Fields(len(fields), whole_number("full", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """One vector per id of each field."""
        fields = chosen_fields("full", schema, options, Kind.CATEGORICAL)
        return table_cost(sum(field.vocabulary_size for field in fields), whole_number("full", options, "dim"))

    def tables(self) -> Mapping[str, Table]:
        """The one table, a part of it for each field."""
        return {"table": Table(self.table, self._parts)}

    def lookups(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"], table: str
    ) -> Int[Tensor, "batch chosen"]:
        """One row for each field."""
        taken = categorical if self._takes_all else categorical.index_select(1, self.columns)
        return taken % self.sizes + self.offsets

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch chosen dim"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """The rows of the ids."""
        return vectors["table"]
