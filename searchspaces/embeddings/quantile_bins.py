"""Numbers as ids: which of the quantile bins of the training part a value lies in."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from searchspaces._block_options import check_names, whole_number
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import bins, chosen_fields
from searchspaces.block import Source, Table
from searchspaces.embeddings._numbers import Chosen, quantiles
from searchspaces.embeddings._tables import new_table, offsets, table_cost

__all__ = ["QuantileBins"]


class QuantileBins(Source):
    """Looks up a vector for the bin of each value: bin t holds b_t < x <= b_(t+1), b_1 .. b_(T-1) inner quantiles.

    The bins have equally many training rows, as far as equal values allow; a value that many rows share, such as 0,
    ends its bin. A missing value has a bin of its own. The table is one as of ids, and so is what trains it. Discrete
    numbers as ids are the practice that Guo et al. (2021), An embedding learning framework for numerical features in
    CTR prediction, compare with.

    Options: `dim`, `bins` (T: 2, 4, 8, ... 128), and `fields`, all where not given. Parameters: (T + 1) d a field.
    """

    edges: Tensor
    offsets: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        fields = chosen_fields("quantile_bins", schema, options, Kind.NUMERIC)
        self._bins = bins("quantile_bins", options)
        self._parts = tuple((field.name, self._bins + 1) for field in fields)
        self.chosen = Chosen(schema, fields)
        self.table = new_table(len(fields) * (self._bins + 1), self.output(schema, options).dim)
        self.register_buffer("edges", quantiles(schema, fields, self._bins)[:, 1:-1].contiguous())
        self.register_buffer("offsets", offsets([rows for _, rows in self._parts]), persistent=False)

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("quantile_bins", options, ("dim", "bins", "fields"))
        bins("quantile_bins", options)
        fields = chosen_fields("quantile_bins", schema, options, Kind.NUMERIC)
        return Fields(len(fields), whole_number("quantile_bins", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """One vector per bin of each field, and one for missing values."""
        shape = cls.output(schema, options)
        return table_cost(shape.tokens * (bins("quantile_bins", options) + 1), shape.dim)

    def tables(self) -> Mapping[str, Table]:
        """The one table, a part of it for each field."""
        return {"table": Table(self.table, self._parts)}

    def lookups(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"], table: str
    ) -> Int[Tensor, "batch chosen"]:
        """One row for each field."""
        values = self.chosen(numeric)
        found = torch.searchsorted(self.edges, values.T.contiguous()).T
        return torch.where(torch.isnan(values), self._bins, found) + self.offsets

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch chosen dim"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """The rows of the bins."""
        return vectors["table"]
