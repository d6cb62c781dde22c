"""Fewer rows than ids: embeddings whose ids share rows (Weinberger et al. 2009, Feature hashing)."""

from __future__ import annotations

from collections.abc import Mapping

from jaxtyping import Float, Int
from torch import Tensor

from searchspaces._block_options import check_names, whole_number
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Field, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import chosen_fields
from searchspaces.block import Source, Table
from searchspaces.embeddings._tables import Rows, new_table, table_cost

__all__ = ["Hashed"]


class Hashed(Source):
    """Looks up row `id mod rows` of each field: e(id) = E[id mod R], R = min(rows, vocabulary).

    The remainder is the hash. Ids are numbered by descending count, so that each row belongs to one of the R most
    frequent ids, and rare ones alone collide with it; a hash that mixes would let frequent ids collide as well.
    Options: `dim`, `rows` that a field has at most, and `fields`, all where not given.
    """

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        fields, sizes = self._sizes(schema, options)
        self._parts = tuple((field.name, size) for field, size in zip(fields, sizes, strict=True))
        self.table = new_table(sum(sizes), self.output(schema, options).dim)
        self.rows = Rows(schema, fields, sizes)

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("hashed", options, ("dim", "rows", "fields"))
        fields, _ = cls._sizes(schema, options)
        return Fields(len(fields), whole_number("hashed", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """min(rows, vocabulary) vectors for each field."""
        _, sizes = cls._sizes(schema, options)
        return table_cost(sum(sizes), whole_number("hashed", options, "dim"))

    def tables(self) -> Mapping[str, Table]:
        """The one table, a part of it for each field."""
        return {"table": Table(self.table, self._parts)}

    def lookups(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"], table: str
    ) -> Int[Tensor, "batch chosen"]:
        """One row for each field."""
        rows: Tensor = self.rows(categorical)
        return rows

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch chosen dim"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """The rows of the ids."""
        return vectors["table"]

    @classmethod
    def _sizes(cls, schema: FeatureSchema, options: Options) -> tuple[tuple[Field, ...], list[int]]:
        fields = chosen_fields("hashed", schema, options, Kind.CATEGORICAL)
        most = whole_number("hashed", options, "rows")
        return fields, [min(field.vocabulary_size, most) for field in fields]
