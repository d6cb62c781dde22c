"""How frequent ids are, as numbers: what trees see in an id and a vector of its own must learn."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy.typing import NDArray
from torch import Tensor

from searchspaces._block_options import check_names
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Field, Kind
from searchspaces._shapes import Cost, Dense
from searchspaces._source_options import chosen_fields
from searchspaces.block import Source
from searchspaces.embeddings._tables import Rows

__all__ = ["Frequency"]

OUT_OF_VOCABULARY = 0

MOST_DEVIATIONS = 10.0
"""Where almost all rows have one id, the others would be thousands of deviations away."""


class Frequency(Source):
    """Gives log(1 + n(id)) for each categorical field, n the id's count in the training part, in standard units.

    Mean and deviation are over training rows. Ids that a cap puts into one row are counted together. Id 0, which stands
    for every value out of the vocabulary, has n = 0: each of these is rare, however many rows they have together.

    The numbers are a buffer of two bytes an id, so that a stored model is complete. The option `fields` names the
    fields to take; all where it is not given.
    """

    scores: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        self.output(schema, options)
        fields = chosen_fields("frequency", schema, options, Kind.CATEGORICAL)
        self.rows = Rows(schema, fields, [field.vocabulary_size for field in fields])
        self.register_buffer("scores", _scores(schema, fields))

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Dense:
        """One number per field."""
        check_names("frequency", options, ("fields",))
        return Dense(len(chosen_fields("frequency", schema, options, Kind.CATEGORICAL)))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """Nothing is learned and no matrix multiplied."""
        return Cost()

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch lookups dim"]],
    ) -> Float[Tensor, "batch chosen"]:
        """The numbers of the ids."""
        return self.scores[self.rows(categorical)].float()


def _scores(schema: FeatureSchema, fields: Sequence[Field]) -> Float[Tensor, " rows"]:
    """Number of each id, field after field, in half precision; NaN where the schema has no statistics."""
    if schema.statistics is None:
        return torch.full((sum(field.vocabulary_size for field in fields),), math.nan, dtype=torch.float16)
    found = [_standard_units(schema.statistics.counts(field.name), field.vocabulary_size) for field in fields]
    return torch.from_numpy(np.concatenate(found).astype(np.float16))


def _standard_units(counts: NDArray[np.int64], rows: int) -> NDArray[np.float64]:
    """log(1 + n) of each row, ids taken modulo `rows`; each training row has the same weight in mean and deviation."""
    weights = _capped(counts, rows)
    logs = np.log1p(_capped(np.where(np.arange(len(counts)) == OUT_OF_VOCABULARY, 0, counts), rows))
    total = max(1.0, float(weights.sum()))
    mean = float((weights * logs).sum()) / total
    deviation = math.sqrt(max(0.0, float((weights * (logs - mean) ** 2).sum()) / total))
    scores: NDArray[np.float64] = (logs - mean) / (deviation if deviation > 1e-9 else 1.0)
    return scores.clip(-MOST_DEVIATIONS, MOST_DEVIATIONS)


def _capped(counts: NDArray[np.int64], rows: int) -> NDArray[np.float64]:
    """Counts of ids modulo `rows`."""
    return np.bincount(np.arange(len(counts)) % rows, weights=counts, minlength=rows).astype(np.float64)
