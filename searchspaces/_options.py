"""Frozen, hashable settings: the only kind of mapping that enters a candidate."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from searchspaces._errors import CandidateError

Value = None | bool | int | float | str | tuple[object, ...]  # nested tuples hold such values again


class Options(Mapping[str, Value]):
    """Immutable mapping from names to JSON values, ordered by name.

    >>> Options({"width": 64, "act": "relu"})
    Options({'act': 'relu', 'width': 64})
    >>> hash(Options(a=1)) == hash(Options({"a": 1}))
    True

    Raises:
        CandidateError: a value is not a finite JSON scalar or a list of such values.
    """

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, object] | None = None, /, **named: object) -> None:
        merged = {**(items or {}), **named}
        frozen = tuple((name, _freeze(name, merged[name])) for name in sorted(merged))
        self._items: dict[str, Value] = dict(frozen)

    def __getitem__(self, name: str) -> Value:
        return self._items[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(tuple(self._items.items()))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Options) and self._items == other._items

    def __repr__(self) -> str:
        return f"Options({self._items!r})"

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types: tuples become lists."""
        return {name: _thaw(value) for name, value in self._items.items()}


def _thaw(value: object) -> Any:
    return [_thaw(item) for item in value] if isinstance(value, tuple) else value


def _freeze(name: str, value: object) -> Value:
    if isinstance(value, float) and not math.isfinite(value):
        raise CandidateError(f"an option must be a finite number, but {name!r} is {value!r}; use null for 'none'")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return tuple(_freeze(name, item) for item in value)
    raise CandidateError(
        f"an option must be null, a number, a string, a boolean or a list of these, "
        f"but {name!r} is of type {type(value).__name__}"
    )
