"""YAML that strangers wrote: plain types or a reason."""

from __future__ import annotations

import pytest

from evaluators._plain_yaml import NotPlainError, plain_yaml

BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{new}: &{new} [{', '.join(['*' + old] * 9)}]\n" for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)


def test_plain_types_are_read() -> None:
    assert plain_yaml("{a: [1, 2.5, true, null, text], b: {c: 0x10}}") == {
        "a": [1, 2.5, True, None, "text"],
        "b": {"c": 16},
    }


def test_an_alias_is_a_value_again() -> None:
    assert plain_yaml("a: &w [8, 16]\nb: *w\n") == {"a": [8, 16], "b": [8, 16]}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (BOMB, "its aliases stand for more than 10000 values; write out what is meant"),
        ("&own [*own]", "it nests deeper than 100, or an alias holds itself"),
        ("[" * 1000, "it nests too deep"),
        ("a: !!python/name:os.system x", "could not determine a constructor for the tag"),
        ("a: !!set {b}", "it holds a value of type set; put it in quotes"),
        ("a: 2024-01-01", "it holds a value of type date; put it in quotes"),
        ("a: 2024-99-99", "month must be in 1..12"),
        (f"a: 0x{'f' * 20}", "a number must fit into 64 bits, but one takes 80"),
        (f"a: {'9' * 5000}", "Exceeds the limit"),
        ('a: "x\\0y"', r"a text must not hold the character '\\x00'; take it out"),
        ('"\\ud800": a', r"a text must not hold the character '\\ud800'; take it out"),
        ("a: 1\na: 2", "line 2, column 1: found duplicate key"),
        ("a: [1", "line 1, column 6: expected ',' or ']'"),
    ],
)
def test_anything_else_gets_a_reason(text: str, reason: str) -> None:
    with pytest.raises(NotPlainError, match=reason):
        plain_yaml(text)
