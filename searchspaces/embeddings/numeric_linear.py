"""A vector per numeric field, as long as its value.

Zhu et al. (2021), Open benchmarking for click-through rate prediction, whose programs count numeric fields so.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag, whole_number
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import chosen_fields
from searchspaces.block import Source
from searchspaces.embeddings._numbers import Standardised

__all__ = ["NumericLinear"]


class NumericLinear(Source):
    """Gives x_f w_f (+ b_f) for each field, x_f its squashed value in standard units (see `numeric`).

    A linear layer from one number to `dim` of them, as the public benchmark counts a numeric field. A missing value
    counts as 0, with `missing` as a learned vector m_f of its own.

    Options: `dim`, `bias`, `missing`, and `fields`, all where not given.
    Parameters: d for each field, and d more with each of `bias` and `missing`. Nothing is a product of matrices.
    """

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        shape = self.output(schema, options)
        self.values = Standardised(schema, chosen_fields("numeric_linear", schema, options, Kind.NUMERIC))
        self.weight = nn.Parameter(torch.empty(shape.tokens, shape.dim))
        # flat, so that they start at zero as every bias does
        wanted = {name: flag("numeric_linear", options, name, default=False) for name in ("bias", "missing")}
        flat = {name: nn.Parameter(torch.empty(shape.tokens * shape.dim)) for name, is_on in wanted.items() if is_on}
        self.bias, self.missing = flat.get("bias"), flat.get("missing")

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("numeric_linear", options, ("dim", "bias", "missing", "fields"))
        _vectors_per_field(options)
        fields = chosen_fields("numeric_linear", schema, options, Kind.NUMERIC)
        return Fields(len(fields), whole_number("numeric_linear", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """One to three vectors per field."""
        shape = cls.output(schema, options)
        return Cost(parameters=_vectors_per_field(options) * shape.tokens * shape.dim)

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch lookups dim"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """The weights times the values."""
        values = self.values(numeric)
        given = torch.nan_to_num(values).unsqueeze(2) * self.weight
        if self.bias is not None:
            given = given + self.bias.view_as(self.weight)
        if self.missing is not None:
            given = torch.where(torch.isnan(values).unsqueeze(2), self.missing.view_as(self.weight), given)
        return given


def _vectors_per_field(options: Options) -> int:
    return 1 + sum(flag("numeric_linear", options, name, default=False) for name in ("bias", "missing"))
