"""Reads the options that sources share: which fields a source takes, and how it looks at them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from searchspaces._block_options import whole_number
from searchspaces._errors import ArchitectureError, did_you_mean
from searchspaces._options import Options
from searchspaces._schema import EDGES, FeatureSchema, Field, Kind

_OF_KIND = {Kind.NUMERIC: "a numeric", Kind.CATEGORICAL: "a categorical"}


def chosen_fields(source: str, schema: FeatureSchema, options: Options, kind: Kind) -> tuple[Field, ...]:
    """The schema's fields of one kind that the option `fields` names, in column order; all where it is not given.

    Raises:
        ArchitectureError: the schema has no such field, or `fields` is no list of different names of such fields.
    """
    known = tuple(field for field in schema.fields if field.kind is kind)
    if not known:
        raise ArchitectureError(f"the source {source!r} needs {_OF_KIND[kind]} field, but the schema has none")
    if "fields" not in options:
        return known
    wanted = options["fields"]
    if not isinstance(wanted, tuple) or not wanted or not all(isinstance(one, str) for one in wanted):
        raise ArchitectureError(f"'fields' of block {source!r} must be a list of names of fields, but is {wanted!r}")
    names = [str(one) for one in wanted]
    if len(set(names)) < len(names):
        raise ArchitectureError(f"'fields' of block {source!r} must name each field once, but is {names}")
    there = [field.name for field in known]
    for name in names:
        if name not in there:
            raise ArchitectureError(
                f"'fields' of block {source!r} must be {kind.value} fields of the schema, but {name!r} is none; "
                f"{did_you_mean(name, there)}"
            )
    return tuple(field for field in known if field.name in names)


def columns_of(schema: FeatureSchema, fields: Sequence[Field]) -> list[int]:
    """Where the fields, all of one kind, stand among the columns of their kind."""
    names = [field.name for field in schema.fields if field.kind is fields[0].kind]
    return [names.index(field.name) for field in fields]


def bins(source: str, options: Options) -> int:
    """The option `bins`, which can be read from the quantiles that are known.

    Raises:
        ArchitectureError: it is missing, or not 2, 4, 8, ... 128.
    """
    found = whole_number(source, options, "bins")
    if found < 2 or (EDGES - 1) % found:
        raise ArchitectureError(
            f"'bins' of block {source!r} must be one of 2, 4, 8, 16, 32, 64 and 128, but is {found}"
        )
    return found


def positive_number(source: str, options: Options, name: str, *, default: float) -> float:
    """An option that is a number above zero.

    Raises:
        ArchitectureError: it is none.
    """
    value = options.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise ArchitectureError(f"{name!r} of block {source!r} must be a number above 0, but is {value!r}")
    return float(value)


def one_of(source: str, options: Options, name: str, choices: Sequence[str]) -> str:
    """An option that is one of some texts, the first where it is not given.

    Raises:
        ArchitectureError: it is another.
    """
    value = options.get(name, choices[0])
    if value not in choices:
        raise ArchitectureError(f"{name!r} of block {source!r} must be one of {', '.join(choices)}, but is {value!r}")
    return str(value)
