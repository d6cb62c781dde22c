"""Shorter vectors for rarer ids.

Ginart et al. (2021), Mixed dimension embeddings with application to memory-efficient recommendation systems.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from searchspaces._block_options import check_names, flag, fraction, whole_number
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Field, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import chosen_fields
from searchspaces.block import Source, Table
from searchspaces.embeddings._products import by_field
from searchspaces.embeddings._tables import Rows, new_table, table_cost

__all__ = ["MixedDimension"]

_NAMES = ("dim", "alpha", "power_of_two", "fields")


class MixedDimension(Source):
    """Gives ids of large fields, each of which is rare, shorter vectors: d_i = dim (n_min / n_i)^alpha, at least 1.

    n_i is the vocabulary of field i, n_min the smallest; d_i is rounded, with `power_of_two` to the nearest power of
    two, and never above `dim`. A shorter vector goes through a matrix of its field, P_i of d_i x dim without bias:
    e_i(id) = E_i[id] P_i. With alpha = 0 all have `dim` numbers and no matrix: `full`.

    Options: `dim`, `alpha` in [0, 1), `power_of_two`, and `fields`, all where not given.
    Parameters: sum of n_i d_i, and d_i dim for every field with d_i < dim.
    """

    order: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        self._dim = self.output(schema, options).dim
        self._parts: dict[int, tuple[tuple[str, int], ...]] = {}
        self.rows, self.projections = nn.ModuleDict(), nn.ParameterDict()
        groups = _groups(schema, options)
        for dim, fields in groups.items():
            sizes = [field.vocabulary_size for field in fields]
            self._parts[dim] = tuple((field.name, field.vocabulary_size) for field in fields)
            setattr(self, f"table_{dim}", new_table(sum(sizes), dim))
            self.rows[f"table_{dim}"] = Rows(schema, fields, sizes)
            if dim < self._dim:
                # under each other: a parameter of three axes would be drawn as if it were a convolution
                self.projections[f"table_{dim}"] = nn.Parameter(torch.empty(len(fields) * dim, self._dim))
        names = [field.name for fields in groups.values() for field in fields]
        wanted = [field.name for field in chosen_fields("mixed_dimension", schema, options, Kind.CATEGORICAL)]
        self.register_buffer("order", torch.tensor([names.index(name) for name in wanted]), persistent=False)

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("mixed_dimension", options, _NAMES)
        fields = chosen_fields("mixed_dimension", schema, options, Kind.CATEGORICAL)
        fraction("mixed_dimension", options, "alpha")
        flag("mixed_dimension", options, "power_of_two", default=False)
        return Fields(len(fields), whole_number("mixed_dimension", options, "dim"))

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """Tables of several dimensions, and the matrices that bring them to one."""
        base, total = whole_number("mixed_dimension", options, "dim"), Cost()
        for dim, fields in _groups(schema, options).items():
            total += table_cost(sum(field.vocabulary_size for field in fields), dim)
            if dim < base:
                total += Cost(parameters=len(fields) * dim * base, macs=len(fields) * dim * base)
        return total

    def tables(self) -> Mapping[str, Table]:
        """A table for each dimension, a part of it for each field that has it."""
        return {f"table_{dim}": Table(getattr(self, f"table_{dim}"), parts) for dim, parts in self._parts.items()}

    def lookups(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"], table: str
    ) -> Int[Tensor, "batch group"]:
        """One row for each field of the table."""
        rows: Tensor = self.rows[table](categorical)
        return rows

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch _ _"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """The rows of the ids in one dimension."""
        found = [self._projected(f"table_{dim}", dim, vectors) for dim in self._parts]
        return torch.cat(found, dim=1).index_select(1, self.order) if len(found) > 1 else found[0]

    def _projected(
        self, name: str, dim: int, vectors: Mapping[str, Float[Tensor, "batch _ _"]]
    ) -> Float[Tensor, "batch group dim"]:
        if name not in self.projections:
            return vectors[name].float() if self.projections else vectors[name]
        matrices = self.projections[name].view(-1, dim, self._dim)
        return by_field(vectors[name].to(matrices.dtype), matrices)


def _groups(schema: FeatureSchema, options: Options) -> dict[int, list[Field]]:
    """The fields of each dimension, the largest first."""
    fields = chosen_fields("mixed_dimension", schema, options, Kind.CATEGORICAL)
    dims = _dims(
        [field.vocabulary_size for field in fields],
        base=whole_number("mixed_dimension", options, "dim"),
        alpha=fraction("mixed_dimension", options, "alpha"),
        power_of_two=flag("mixed_dimension", options, "power_of_two", default=False),
    )
    return {
        dim: [field for field, own in zip(fields, dims, strict=True) if own == dim]
        for dim in sorted(set(dims), reverse=True)
    }


def _dims(sizes: Sequence[int], *, base: int, alpha: float, power_of_two: bool) -> list[int]:
    found = [max(1, round(base * (min(sizes) / size) ** alpha)) for size in sizes]
    if power_of_two:
        found = [min(base, 2 ** round(math.log2(dim))) for dim in found]
    return found
