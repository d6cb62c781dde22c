"""Numbers as soft choices among learned vectors.

Guo et al. (2021), An embedding learning framework for numerical features in CTR prediction: AutoDis.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from searchspaces._block_options import check_names, flag, fraction, whole_number
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import chosen_fields, positive_number
from searchspaces.block import Source
from searchspaces.embeddings._numbers import Standardised
from searchspaces.embeddings._products import by_field

__all__ = ["AutoDis"]

_NAMES = ("dim", "buckets", "temperature", "skip", "missing", "fields")


class AutoDis(Source):
    """Gives softmax((W_f h + a h) / t) E_f with h = leaky_relu(w_f x_f), for each field.

    E_f are H vectors that a field's values share, t the `temperature` and a the control factor `skip`; x_f is the
    squashed value in standard units (see `numeric`). A missing value counts as 0, with `missing` as a learned vector
    of its own.

    Options: `dim` (d), `buckets` (H), `temperature` (1 where not given), `skip` in [0, 1) (0 where not given),
    `missing`, and `fields`, all where not given.
    Parameters: H + H^2 + H d a field, d more with `missing`; multiply-adds: H^2 + H d a field.
    """

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        shape = self.output(schema, options)
        fields, buckets = shape.tokens, whole_number("autodis", options, "buckets")
        self._temperature = positive_number("autodis", options, "temperature", default=1.0)
        self._skip = fraction("autodis", options, "skip")
        self.values = Standardised(schema, chosen_fields("autodis", schema, options, Kind.NUMERIC))
        self.first = nn.Parameter(torch.empty(fields, buckets))
        self.second = nn.Parameter(torch.empty(fields, buckets, buckets))
        self.vectors = nn.Parameter(torch.empty(fields, buckets, shape.dim))
        # flat, so that it starts at zero as every bias does
        has_missing = flag("autodis", options, "missing", default=False)
        self.missing = nn.Parameter(torch.empty(fields * shape.dim)) if has_missing else None

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("autodis", options, _NAMES)
        whole_number("autodis", options, "buckets")
        positive_number("autodis", options, "temperature", default=1.0)
        fraction("autodis", options, "skip")
        flag("autodis", options, "missing", default=False)
        fields = chosen_fields("autodis", schema, options, Kind.NUMERIC)
        return Fields(len(fields), whole_number("autodis", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """Two layers and H vectors per field."""
        shape, buckets = cls.output(schema, options), whole_number("autodis", options, "buckets")
        macs = buckets * (buckets + shape.dim)
        rest = buckets + (shape.dim if flag("autodis", options, "missing", default=False) else 0)
        return Cost(parameters=shape.tokens * (macs + rest), macs=shape.tokens * macs)

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch lookups dim"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """The mixtures of the fields' vectors."""
        values = self.values(numeric)
        hidden = leaky_relu(torch.nan_to_num(values).unsqueeze(2) * self.first)
        scores = by_field(hidden, self.second) + self._skip * hidden
        given = by_field(torch.softmax(scores / self._temperature, dim=2), self.vectors)
        if self.missing is None:
            return given
        return torch.where(torch.isnan(values).unsqueeze(2), self.missing.view(given.shape[1:]), given)
