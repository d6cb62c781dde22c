"""Numeric fields as one dense vector."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from searchspaces._block_options import check_names, flag
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Kind
from searchspaces._shapes import Cost, Dense
from searchspaces._source_options import chosen_fields
from searchspaces.block import Source
from searchspaces.embeddings._numbers import Chosen, squashed

__all__ = ["Numeric"]


class Numeric(Source):
    """Gives sign(x) * log(1 + |x|), standardised with the schema's statistics; missing values become 0.

    With `missing` a second number for each field, after all values, is 1 where the value is missing and else 0. The
    option `fields` names the fields to take; all where it is not given. The statistics are buffers, so that a stored
    model takes raw values.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        self.output(schema, options)
        fields = chosen_fields("numeric", schema, options, Kind.NUMERIC)
        self._tells_missing = flag("numeric", options, "missing", default=False)
        self.chosen = Chosen(schema, fields)
        self.register_buffer("mean", torch.tensor([field.mean for field in fields]))
        self.register_buffer("std", torch.tensor([field.std for field in fields]))

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Dense:
        """One number per field, two with `missing`."""
        check_names("numeric", options, ("missing", "fields"))
        fields = chosen_fields("numeric", schema, options, Kind.NUMERIC)
        return Dense(len(fields) * (2 if flag("numeric", options, "missing", default=False) else 1))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """Nothing is learned and no matrix multiplied."""
        return Cost()

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch lookups dim"]],
    ) -> Float[Tensor, "batch width"]:
        """Standardised values."""
        values = (squashed(self.chosen(numeric)) - self.mean) / self.std
        is_missing = torch.isnan(values)
        values = torch.where(is_missing, torch.zeros_like(values), values)
        return torch.cat([values, is_missing.to(values)], dim=1) if self._tells_missing else values
