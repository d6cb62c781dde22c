"""One table row per id: embeddings of all categorical fields."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Cost, Fields
from searchspaces.block import Source, Table

__all__ = ["Full"]

BYTES_PER_VALUE = 4


class Full(Source):
    """Looks up a vector of `dim` numbers per categorical field, all fields in one gather.

    The fields' tables lie under each other in `table`; ids are taken modulo the field's vocabulary.
    """

    sizes: Tensor
    offsets: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        dim = self.output(schema, options).dim
        sizes = [field.vocabulary_size for field in schema.categorical]
        self._parts = tuple((field.name, field.vocabulary_size) for field in schema.categorical)
        # skip_init: the default draw is thrown away, and takes seconds on tables of millions of rows.
        self.table: nn.Embedding = torch.nn.utils.skip_init(  # type: ignore[no-untyped-call]
            nn.Embedding, sum(sizes), dim
        )
        self.register_buffer("sizes", torch.tensor(sizes))
        self.register_buffer("offsets", torch.tensor([0, *accumulate(sizes[:-1])]))

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per categorical field."""
        check_names("full", options, ("dim",))
        if not schema.categorical:
            raise ArchitectureError("the source 'full' needs a categorical field, but the schema has none")
        return Fields(len(schema.categorical), whole_number("full", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """One vector per id of each field; a look-up multiplies nothing."""
        rows = sum(field.vocabulary_size for field in schema.categorical)
        values = rows * whole_number("full", options, "dim")
        return Cost(parameters=values, embedding_bytes=BYTES_PER_VALUE * values)

    def tables(self) -> Mapping[str, Table]:
        """The one table, a part of it for each field."""
        return {"table": Table(self.table, self._parts)}

    def lookups(self, categorical: Int[Tensor, "batch categorical"], table: str) -> Int[Tensor, "batch categorical"]:
        """One row for each field."""
        return categorical % self.sizes + self.offsets

    def forward(
        self, numeric: Float[Tensor, "batch numeric"], vectors: Mapping[str, Float[Tensor, "batch categorical dim"]]
    ) -> Float[Tensor, "batch categorical dim"]:
        """The rows of the ids; the numeric values are not looked at."""
        return vectors["table"]
