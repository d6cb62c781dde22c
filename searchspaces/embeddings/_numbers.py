"""What sources of numbers share: the scale that they look at values on, and quantiles of the training part.

Letters: `chosen` fields that the source takes, of all `numeric` ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from searchspaces._schema import EDGES, FeatureSchema, Field
from searchspaces._source_options import columns_of


def squashed(values: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """sign(x) * log(1 + |x|), which keeps the order; NaN stays NaN."""
    return torch.sign(values) * torch.log1p(values.abs())


class Chosen(nn.Module):
    """The raw values of some fields; the schema and the options tell which, so that a stored model need not."""

    columns: Tensor

    def __init__(self, schema: FeatureSchema, fields: Sequence[Field]) -> None:
        super().__init__()
        self._takes_all = len(fields) == len(schema.numeric)
        self.register_buffer("columns", torch.tensor(columns_of(schema, fields)), persistent=False)

    def forward(self, numeric: Float[Tensor, "batch numeric"]) -> Float[Tensor, "batch chosen"]:
        """Their columns."""
        return numeric if self._takes_all else numeric.index_select(1, self.columns)


class Standardised(nn.Module):
    """Squashed values of some fields in standard units of the training part; NaN where missing."""

    mean: Tensor
    std: Tensor

    def __init__(self, schema: FeatureSchema, fields: Sequence[Field]) -> None:
        super().__init__()
        self.chosen = Chosen(schema, fields)
        self.register_buffer("mean", torch.tensor([field.mean for field in fields]))
        self.register_buffer("std", torch.tensor([field.std for field in fields]))

    def forward(self, numeric: Float[Tensor, "batch numeric"]) -> Float[Tensor, "batch chosen"]:
        """Their values."""
        values: Tensor = (squashed(self.chosen(numeric)) - self.mean) / self.std
        return values


def quantiles(schema: FeatureSchema, fields: Sequence[Field], bins: int) -> Float[Tensor, "chosen edges"]:
    """The bins + 1 edges of bins with equally many training rows; NaN where the schema has no statistics."""
    if schema.statistics is None:
        return torch.full((len(fields), bins + 1), math.nan)
    every = (EDGES - 1) // bins
    known = [np.asarray(schema.statistics.edges(field.name), np.float32)[::every] for field in fields]
    return torch.from_numpy(np.stack(known))
