"""The columns that a model sees, with the statistics its first layer needs."""

from __future__ import annotations

import hashlib
import json
import math
import reprlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from searchspaces._errors import SchemaError

LARGEST = 2**31 - 1
"""Ids are 32 bits wide."""

EDGES = 129
"""Quantiles that are known of a numeric field: 2, 4, ... 128 bins can be read from them."""


class Kind(StrEnum):
    """What a column holds. Only the first two are built so far; the others are reserved in the format."""

    NUMERIC = "numeric"
    CATEGORICAL = "categorical"
    BAG = "bag"
    SEQUENCE = "sequence"
    WEIGHT = "weight"
    GROUP = "group"


@dataclass(frozen=True)
class Field:
    """One column. Ids run from 0 (out of vocabulary) to `vocabulary_size - 1`.

    `mean` and `std` describe sign(x) * log(1 + |x|) on the training part, missing values left out.
    """

    name: str
    kind: Kind
    vocabulary_size: int = 0
    mean: float = 0.0
    std: float = 1.0

    def __post_init__(self) -> None:
        object.__setattr__(self, "kind", Kind(self.kind))
        self._check_types()
        if self.kind is Kind.CATEGORICAL and self.vocabulary_size < 1:
            raise SchemaError(
                f"a categorical field needs a vocabulary of at least the out-of-vocabulary id, "
                f"but {self.name!r} has size {self.vocabulary_size}"
            )
        if not self.std > 0:
            raise SchemaError(f"a standard deviation must be positive, but field {self.name!r} has {self.std}")

    def _check_types(self) -> None:
        """A schema is also read from files, which hold anything."""
        name: object = self.name
        statistics: tuple[object, ...] = (self.mean, self.std)
        if not isinstance(name, str) or not name:
            raise SchemaError(f"a field's name must be a text, but is {reprlib.repr(self.name)}")
        if type(self.vocabulary_size) is not int or not 0 <= self.vocabulary_size <= LARGEST:
            raise SchemaError(
                f"a vocabulary's size must be a whole number of at most {LARGEST}, but field {self.name!r} has "
                f"{reprlib.repr(self.vocabulary_size)}"
            )
        for statistic in statistics:
            if isinstance(statistic, bool) or not isinstance(statistic, int | float) or not math.isfinite(statistic):
                raise SchemaError(
                    f"mean and std must be finite numbers, but field {self.name!r} has {reprlib.repr(statistic)}"
                )


class Statistics(Protocol):
    """What some sources need of the training part beside the schema; found when they ask for it.

    No part of a schema's content: it follows from the rows, would make the JSON of a schema large, and a model that
    has been trained holds its own copy.
    """

    def edges(self, field: str) -> NDArray[np.float32]:
        """`EDGES` ascending quantiles of a numeric field's raw values, missing ones left out; zeros where all are."""

    def counts(self, field: str) -> NDArray[np.int64]:
        """How often each id of a categorical field occurs, [vocabulary], before any cap."""


@dataclass(frozen=True)
class FeatureSchema:
    """Ordered fields of a dataset; the order is the column order of the prepared arrays.

    `statistics` are there where the training part is; they make no difference between two schemas.

    Raises:
        SchemaError: no fields, two of one name, or a kind that no model reads yet.
    """

    fields: tuple[Field, ...]
    statistics: Statistics | None = dataclass_field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        names = [field.name for field in self.fields]
        if not names:
            raise SchemaError("a schema needs at least one field, but has none")
        doubled = sorted({name for name in names if names.count(name) > 1})
        if doubled:
            raise SchemaError(f"field names must differ, but {doubled[0]!r} appears {names.count(doubled[0])} times")
        for field in self.fields:
            if field.kind not in (Kind.NUMERIC, Kind.CATEGORICAL):
                raise SchemaError(f"no block reads fields of kind {field.kind.value!r} yet, but {field.name!r} is one")

    @property
    def numeric(self) -> tuple[Field, ...]:
        """The numeric fields, in column order."""
        return tuple(field for field in self.fields if field.kind is Kind.NUMERIC)

    @property
    def categorical(self) -> tuple[Field, ...]:
        """The categorical fields, in column order."""
        return tuple(field for field in self.fields if field.kind is Kind.CATEGORICAL)

    @property
    def digest(self) -> str:
        """sha256 of the content, 16 hexadecimal digits."""
        text = json.dumps(self.to_dict(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    def capped(self, hash_cap: int | None) -> FeatureSchema:
        """The same schema with vocabularies of at most `hash_cap` rows; ids are then taken modulo that."""
        if hash_cap is None:
            return self
        if hash_cap < 1:
            raise SchemaError(f"a hash cap must leave at least one row, but is {hash_cap}")
        return FeatureSchema(
            tuple(replace(field, vocabulary_size=min(field.vocabulary_size, hash_cap)) for field in self.fields),
            self.statistics,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        return {"fields": [{**asdict(field), "kind": field.kind.value} for field in self.fields]}

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> FeatureSchema:
        """Reads what `to_dict` wrote.

        Raises:
            SchemaError: a field lacks a name, or has a kind or key that is not known.
        """
        fields = content.get("fields", ())
        if not isinstance(fields, list | tuple):
            raise SchemaError(f"a schema's 'fields' must be a list, but is {reprlib.repr(fields)}")
        return cls(tuple(_field_from_dict(one) for one in fields))


def _field_from_dict(content: Mapping[str, Any]) -> Field:
    try:
        return Field(**content)
    except (TypeError, ValueError) as error:
        reason = (
            f"a field must have name, kind, vocabulary_size, mean and std, but got {reprlib.repr(content)}: {error}"
        )
        raise SchemaError(reason) from error
