"""What a prepared folder's schema file must say beside its fields: every rule that a content breaks is named."""

from __future__ import annotations

import math
import reprlib
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from evaluators._datasets.part import PART_NAMES


def content_mistakes(content: Mapping[str, object]) -> Iterator[str]:
    """One text for each key that is missing or has a value that nobody can have prepared."""
    for key, (is_right, rule) in RULES.items():
        if key not in content:
            yield f"{key!r} is missing"
        elif not is_right(content[key]):
            yield f"{key!r} must be {rule}, but is {reprlib.repr(content[key])}"
    if not is_texts(content.get("meanings") or {}):
        yield f"'meanings' must map fields to texts, but is {reprlib.repr(content['meanings'])}"


def is_text(value: object) -> bool:
    """Whether it is a text that is not empty."""
    return isinstance(value, str) and bool(value)


def is_texts(value: object) -> bool:
    """Whether it maps to texts."""
    return isinstance(value, dict) and all(isinstance(one, str) for one in value.values())


def is_rows(value: object) -> bool:
    """Whether it tells the rows of known parts, train and valid among them."""
    if not isinstance(value, dict) or not {"train", "valid"} <= value.keys() <= set(PART_NAMES):
        return False
    return all(type(one) is int and one > 0 for one in value.values())


def is_shares(value: object) -> bool:
    """Whether it tells a share of known parts."""
    return _maps_to_numbers(value) and all(0 <= one <= 1 for one in value.values())  # type: ignore[attr-defined]


def is_entropies(value: object) -> bool:
    """Whether it tells a number of known parts, or nothing."""
    return value is None or _maps_to_numbers(value)


def _maps_to_numbers(value: object) -> bool:
    return (
        isinstance(value, dict)
        and value.keys() <= set(PART_NAMES)
        and all(type(one) in (int, float) and math.isfinite(one) for one in value.values())
    )


Rule = tuple[Callable[[object], bool], str]
RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "name": (is_text, "a text"),
        "label": (is_text, "a text"),
        "time_column": (lambda value: value is None or is_text(value), "a text or null"),
        "split": (lambda value: isinstance(value, dict), "a mapping"),
        "minimum_count": (lambda value: type(value) is int and value >= 1, "a whole number of at least 1"),
        "bayes_ne": (is_entropies, "a number for each part, or null"),
        "source": (lambda value: isinstance(value, str), "a text"),
        "licence": (lambda value: isinstance(value, str), "a text"),
        "digest": (is_text, "a text"),
        "rows": (is_rows, "a positive whole number for train, valid and, where there is one, test"),
        "base_rate": (is_shares, "a number from 0 to 1 for each part"),
    }
)
