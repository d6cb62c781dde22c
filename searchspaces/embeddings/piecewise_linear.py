"""Numbers by how far they are through each quantile bin, and a linear layer of each field's own.

Gorishniy, Rubachev and Babenko (2022), On embeddings for numerical features in tabular deep learning: PLE with
quantile bins, followed by a linear layer.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from searchspaces._block_options import check_names, whole_number
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import bins, chosen_fields
from searchspaces.block import Source
from searchspaces.embeddings._numbers import Chosen, quantiles, squashed
from searchspaces.embeddings._products import by_field

__all__ = ["PiecewiseLinear"]


class PiecewiseLinear(Source):
    """Encodes x as PLE(x)_t = clamp((x - b_(t-1)) / (b_t - b_(t-1)), 0, 1), t = 1 .. T, and gives W_f PLE(x) + a_f.

    b_0 .. b_T are quantiles; values and quantiles are squashed first (see `numeric`), which changes no bin, and
    keeps the far end of a long tail from being crammed into the last one. Unlike the paper the first and the last bin
    are clamped as well: a value beyond all training rows counts as the last of them. Where quantiles coincide the
    bin is a step at them. A missing value has no part in any bin, and a vector of its own.

    Options: `dim`, `bins` (T: 2, 4, 8, ... 128), and `fields`, all where not given.
    Parameters: (T + 2) d a field; multiply-adds: (T + 1) d a field.
    """

    edges: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        shape = self.output(schema, options)
        fields = chosen_fields("piecewise_linear", schema, options, Kind.NUMERIC)
        bin_count = bins("piecewise_linear", options)
        self.chosen = Chosen(schema, fields)
        self.weight = nn.Parameter(torch.empty(shape.tokens, bin_count + 1, shape.dim))
        self.bias = nn.Parameter(torch.empty(shape.tokens * shape.dim))
        self.register_buffer("edges", squashed(quantiles(schema, fields, bin_count)))

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("piecewise_linear", options, ("dim", "bins", "fields"))
        bins("piecewise_linear", options)
        fields = chosen_fields("piecewise_linear", schema, options, Kind.NUMERIC)
        return Fields(len(fields), whole_number("piecewise_linear", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """A matrix of bins, with one for missing values, times `dim` for each field."""
        shape = cls.output(schema, options)
        macs = shape.tokens * (bins("piecewise_linear", options) + 1) * shape.dim
        return Cost(parameters=macs + shape.tokens * shape.dim, macs=macs)

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch lookups dim"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """The encodings through their matrices."""
        given = by_field(self.encoded(numeric), self.weight)
        return given + self.bias.view(given.shape[1:])

    def encoded(self, numeric: Float[Tensor, "batch numeric"]) -> Float[Tensor, "batch chosen bins_and_missing"]:
        """How far each value is through each bin, 0 to 1; the last is 1 where the value is missing."""
        values = squashed(self.chosen(numeric)).unsqueeze(2)
        low, high = self.edges[:, :-1], self.edges[:, 1:]
        has_width = high > low
        width = torch.where(has_width, high - low, torch.ones_like(low))
        share = torch.where(has_width, ((values - low) / width).clamp(0.0, 1.0), (values >= high).to(values))
        is_missing = torch.isnan(values)
        return torch.cat([torch.where(is_missing, torch.zeros_like(share), share), is_missing.to(values)], dim=2)
