"""Reads YAML 1.2 that strangers wrote: plain types or a reason, whatever the text holds.

No tag runs code, and none is overlooked. Aliases are values that are written once and used again; a few lines of
them can stand for more values than fit into memory, so what they stand for is counted before anybody looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

MAX_DEPTH = 100
FREE_VALUES = 10_000
"""Values that aliases may always stand for; beyond that no more than the text has characters."""

_PLAIN = (bool, int, float, str, type(None))


class NotPlainError(ValueError):
    """A text is no YAML of plain types; the error says why, in words that complete "FILE is not: "."""


def plain_yaml(text: str) -> Any:
    """The content of a text: mappings, lists, texts, numbers, booleans and null.

    >>> plain_yaml("{rate: 1e-3, names: [a, b]}")
    {'rate': 0.001, 'names': ['a', 'b']}

    Raises:
        NotPlainError: it is not YAML, holds another type, or nests or repeats itself beyond measure.
    """
    try:
        content = YAML(typ="safe", pure=True).load(text)
    except Exception as error:  # the parser meets what nobody foresaw, and may raise anything
        raise NotPlainError(reason_of(error)) from error
    check_size(content, len(text))
    wrong = next((one for one in _values(content, 0) if not isinstance(one, (dict, list, *_PLAIN))), None)
    if wrong is not None:
        raise NotPlainError(f"it holds a value of type {type(wrong).__name__}; put it in quotes")
    large = next((one for one in _values(content, 0) if isinstance(one, int) and one.bit_length() > 63), None)
    if large is not None:
        raise NotPlainError(f"a number must fit into 64 bits, but one takes {large.bit_length()}")
    return content


def check_size(content: Any, characters: int) -> None:
    """Returns silently where what was read from a text of so many characters is no larger than that explains.

    Raises:
        NotPlainError: it nests too deep, or its aliases stand for too much.
    """
    most = max(characters, FREE_VALUES)
    for count, _ in enumerate(_values(content, 0), start=1):
        if count > most:
            raise NotPlainError(f"its aliases stand for more than {most} values; write out what is meant")


def reason_of(error: Exception) -> str:
    """What a parser complains of, on one line, with the place where it says so."""
    if isinstance(error, RecursionError):
        return "it nests too deep"
    mark = getattr(error, "problem_mark", None) if isinstance(error, YAMLError) else None
    place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
    said = getattr(error, "problem", None) or str(error) or type(error).__name__
    text = " ".join(str(said).split())
    return place + "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)[:300]


def _values(content: Any, depth: int) -> Iterator[Any]:
    """Every value, those behind aliases as often as they are used."""
    yield content
    if isinstance(content, dict | list):
        if depth > MAX_DEPTH:
            raise NotPlainError(f"it nests deeper than {MAX_DEPTH}, or an alias holds itself")
        for one in content.values() if isinstance(content, dict) else content:
            yield from _values(one, depth + 1)
