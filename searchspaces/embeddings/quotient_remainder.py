"""Two small tables for one large one.

Shi et al. (2020), Compositional embeddings using complementary partitions for memory-efficient recommendation systems.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float, Int
from torch import Tensor

from searchspaces._block_options import check_names, whole_number
from searchspaces._errors import ArchitectureError
from searchspaces._options import Options
from searchspaces._schema import FeatureSchema, Field, Kind
from searchspaces._shapes import Cost, Fields
from searchspaces._source_options import chosen_fields, one_of
from searchspaces.block import Source, Table
from searchspaces.embeddings._tables import Ids, Rows, new_table, offsets, table_cost

__all__ = ["QuotientRemainder"]

_OPERATIONS = ("mult", "add", "concat")


class QuotientRemainder(Source):
    """Composes the vector of an id from two tables: e(id) = Q[id div c] * R[id mod c], c = `collisions`.

    No two ids have the same pair of rows. `operation` may be "add" instead of the product "mult", or "concat", where
    each table gives one half of `dim`. Fields of at most `threshold` ids (0 where not given) keep a row for each.

    R starts around one where it multiplies, so that a product starts as its quotient's row: two factors around zero
    would have a product, and gradients, near nothing. (The authors draw both from +-sqrt(1/V), and a slip in their
    code puts them into [sqrt(1/V), 1].)

    Options: `dim`, `collisions`, `operation`, `threshold`, and `fields`, all where not given.
    Parameters: (ceil(V / c) + min(c, V)) d for a field above the threshold, half as many with "concat".
    """

    remainder_offsets: Tensor
    quotient_offsets: Tensor
    order: Tensor

    def __init__(self, schema: FeatureSchema, options: Options) -> None:
        super().__init__(schema, options)
        self.output(schema, options)
        whole, split = _divided(schema, options)
        self._operation = one_of("quotient_remainder", options, "operation", _OPERATIONS)
        self._collisions = whole_number("quotient_remainder", options, "collisions")
        self._parts = _parts(whole, split, self._collisions, self._operation)
        for name, dim in _table_dims(options).items():
            if self._parts[name]:
                setattr(self, name, new_table(sum(rows for _, rows in self._parts[name]), dim))
        self.whole_rows = Rows(schema, whole, [field.vocabulary_size for field in whole])
        self.split_ids = Ids(schema, split, [field.vocabulary_size for field in split])
        for name in ("remainder", "quotient"):
            self.register_buffer(f"{name}_offsets", offsets([rows for _, rows in self._parts[name]]), persistent=False)
        wanted = chosen_fields("quotient_remainder", schema, options, Kind.CATEGORICAL)
        self.register_buffer("order", torch.tensor([[*whole, *split].index(one) for one in wanted]), persistent=False)

    @classmethod
    def output(cls, schema: FeatureSchema, options: Options) -> Fields:
        """One token per field."""
        check_names("quotient_remainder", options, ("dim", "collisions", "operation", "threshold", "fields"))
        whole, split = _divided(schema, options)
        whole_number("quotient_remainder", options, "collisions")
        dim = whole_number("quotient_remainder", options, "dim")
        if one_of("quotient_remainder", options, "operation", _OPERATIONS) == "concat" and dim % 2:
            raise ArchitectureError(
                f"'dim' of block 'quotient_remainder' must be even for 'concat', half for each table, but is {dim}"
            )
        return Fields(len(whole) + len(split), dim)

    @classmethod
    def cost(cls, schema: FeatureSchema, options: Options) -> Cost:
        """Whole tables, and two for each field that is split."""
        whole, split = _divided(schema, options)
        collisions = whole_number("quotient_remainder", options, "collisions")
        parts = _parts(whole, split, collisions, one_of("quotient_remainder", options, "operation", _OPERATIONS))
        dims = _table_dims(options)
        return sum((table_cost(sum(rows for _, rows in parts[name]), dims[name]) for name in parts), Cost())

    def tables(self) -> Mapping[str, Table]:
        """Up to three tables, a part of each for each field that it serves."""
        centres = {"remainder": 1.0 if self._operation == "mult" else 0.0}
        return {
            name: Table(getattr(self, name), parts, centres.get(name, 0.0))
            for name, parts in self._parts.items()
            if parts
        }

    def lookups(
        self, numeric: Float[Tensor, "batch numeric"], categorical: Int[Tensor, "batch categorical"], table: str
    ) -> Int[Tensor, "batch group"]:
        """One row for each field that the table serves."""
        if table == "whole":
            rows: Tensor = self.whole_rows(categorical)
            return rows
        ids: Tensor = self.split_ids(categorical)
        if table == "remainder":
            return ids % self._collisions + self.remainder_offsets
        return torch.div(ids, self._collisions, rounding_mode="floor") + self.quotient_offsets

    def forward(
        self,
        numeric: Float[Tensor, "batch numeric"],
        categorical: Int[Tensor, "batch categorical"],
        vectors: Mapping[str, Float[Tensor, "batch _ _"]],
    ) -> Float[Tensor, "batch chosen dim"]:
        """Whole rows and composed ones, in the order of the fields."""
        found = [vectors["whole"]] if "whole" in vectors else []
        if "quotient" in vectors:
            found.append(self._composed(vectors["quotient"], vectors["remainder"]))
        return torch.cat(found, dim=1).index_select(1, self.order) if len(found) > 1 else found[0]

    def _composed(
        self, quotient: Float[Tensor, "batch split own"], remainder: Float[Tensor, "batch split own"]
    ) -> Float[Tensor, "batch split dim"]:
        if self._operation == "mult":
            return quotient * remainder
        return quotient + remainder if self._operation == "add" else torch.cat([quotient, remainder], dim=2)


def _divided(schema: FeatureSchema, options: Options) -> tuple[list[Field], list[Field]]:
    """Fields with a row for each id, and fields that are split."""
    threshold = options.get("threshold", 0)
    if type(threshold) is not int or threshold < 0:
        raise ArchitectureError(
            f"'threshold' of block 'quotient_remainder' must be a number of ids from 0 on, but is {threshold!r}"
        )
    fields = chosen_fields("quotient_remainder", schema, options, Kind.CATEGORICAL)
    whole = [field for field in fields if field.vocabulary_size <= threshold]
    return whole, [field for field in fields if field.vocabulary_size > threshold]


def _parts(
    whole: list[Field], split: list[Field], collisions: int, operation: str
) -> dict[str, tuple[tuple[str, int], ...]]:
    """Parts of the tables; factors are named apart, since they start elsewhere."""
    remainder = "factor" if operation == "mult" else "remainder"
    return {
        "whole": tuple((one.name, one.vocabulary_size) for one in whole),
        "quotient": tuple((f"{one.name}/quotient", -(-one.vocabulary_size // collisions)) for one in split),
        "remainder": tuple((f"{one.name}/{remainder}", min(collisions, one.vocabulary_size)) for one in split),
    }


def _table_dims(options: Options) -> dict[str, int]:
    dim = whole_number("quotient_remainder", options, "dim")
    half = dim // 2 if options.get("operation") == "concat" else dim
    return {"whole": dim, "quotient": half, "remainder": half}
