"""All numeric fields as one dense vector."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

from searchspaces._block_options import check_names
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema
from searchspaces._shapes import Cost, Dense
from searchspaces.block import Source

__all__ = ["Numeric"]


class Numeric(Source):
    """Gives sign(x) * log(1 + |x|), standardised with the schema's statistics; missing values become 0.

    The statistics are buffers, so that a stored model takes raw values.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        self.output(schema, options)
        self.register_buffer("mean", torch.tensor([field.mean for field in schema.numeric]))
        self.register_buffer("std", torch.tensor([field.std for field in schema.numeric]))

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Dense:
        """One number per numeric field."""
        check_names("numeric", options, ())
        if not schema.numeric:
            raise ArchitectureError("the source 'numeric' needs a numeric field, but the schema has none")
        return Dense(len(schema.numeric))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """Nothing is learned and no matrix multiplied."""
        return Cost()

    def forward(
        self, numeric: Float[Tensor, "batch numeric"], vectors: Mapping[str, Float[Tensor, "batch lookups dim"]]
    ) -> Float[Tensor, "batch numeric"]:
        """Standardised values; nothing was looked up."""
        values = (torch.sign(numeric) * torch.log1p(numeric.abs()) - self.mean) / self.std
        return torch.where(torch.isnan(values), torch.zeros_like(values), values)
