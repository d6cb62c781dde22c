"""Reads YAML 1.2 that strangers wrote: plain types or a reason, whatever the text holds.

No tag runs code, and none is overlooked. Aliases are values that are written once and used again; a few lines of
them can stand for more values than fit into memory, so what they stand for is counted before anybody looks at it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_DEPTH = 100
FREE_VALUES = 10_000
"""Values that aliases may always stand for; beyond that no more than the text has characters."""

_PLAIN = (bool, int, float, str, type(None))


class NotPlainError(ValueError):
    """A text is no YAML of plain types; the error says why, `place` where: "line 3, column 1", or nothing."""

    def __init__(self, reason: str, place: str = "") -> None:
        self.reason, self.place = reason, place
        super().__init__(f"{place}: {reason}" if place else reason)


def plain_yaml(text: str) -> Any:
    """The content of a text: mappings, lists, texts, numbers, booleans and null.

    >>> plain_yaml("{rate: 1e-3, names: [a, b]}")
    {'rate': 0.001, 'names': ['a', 'b']}

    Raises:
        NotPlainError: it is not YAML, holds another type, or nests or repeats itself beyond measure.
    """
    from ruamel.yaml import YAML  # here: whoever opens prepared data needs none

    try:
        content = YAML(typ="safe", pure=True).load(text)
    except Exception as error:  # the parser meets what nobody foresaw, and may raise anything
        raise NotPlainError(reason_of(error), place_of(error)) from error
    most = max(len(text), FREE_VALUES)
    for count, value in enumerate(_values(content, 0), start=1):
        if count > most:
            raise NotPlainError(f"its aliases stand for more than {most} values; write out what is meant")
        _check(value)
    return content


def _check(value: Any) -> None:
    if not isinstance(value, (dict, list, *_PLAIN)):
        raise NotPlainError(f"it holds a value of type {type(value).__name__}; put it in quotes")
    if isinstance(value, int) and value.bit_length() > 63:
        raise NotPlainError(f"a number must fit into 64 bits, but one takes {value.bit_length()}")
    if isinstance(value, str) and unfit_character(value):
        raise NotPlainError(f"a text must not hold the character {unfit_character(value)}; take it out")


def unfit_character(text: str) -> str:
    r"""The first character of a text that no file, database or program can be given; empty where all can.

    >>> unfit_character("a\0b"), unfit_character("caf\u00e9")
    ("'\\x00'", '')
    """
    return next((repr(one) for one in text if one == "\0" or "\ud800" <= one <= "\udfff"), "")


def place_of(error: Exception) -> str:
    """Where a parser complains; empty where it does not say."""
    mark = getattr(error, "problem_mark", None)  # of the parser's own errors alone
    return f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""


def reason_of(error: Exception) -> str:
    """What a parser complains of, on one line."""
    if isinstance(error, RecursionError):
        return "it nests too deep"
    said = getattr(error, "problem", None) or str(error) or type(error).__name__
    return " ".join(str(said).split())[:300]


def _values(content: Any, depth: int) -> Iterator[Any]:
    """Every value, those behind aliases as often as they are used."""
    yield content
    if isinstance(content, dict | list):
        if depth > MAX_DEPTH:
            raise NotPlainError(f"it nests deeper than {MAX_DEPTH}, or an alias holds itself")
        if isinstance(content, dict):
            yield from content
        for one in content.values() if isinstance(content, dict) else content:
            yield from _values(one, depth + 1)
