"""Configurations are read with the line of each key, and refused with a reason where they hold anything odd."""

from __future__ import annotations

import pytest

from automl import ConfigError
from automl._yaml import parse_scalar, parse_yaml
from tests.evaluators.test_plain_yaml import BOMB


def _mistake(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse_yaml(text, "study.yaml")
    return str(caught.value)


def test_keys_have_lines() -> None:
    content, lines = parse_yaml("a: 1\nb:\n  c: [x, {d: 2}]\n", "study.yaml")
    assert content == {"a": 1, "b": {"c": ["x", {"d": 2}]}}
    assert lines == {"a": 1, "b": 2, "b.c": 3, "b.c.1.d": 3}


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        (BOMB, "not YAML: its aliases stand for more than 10000 values; write out what is meant"),
        ("a: &own [*own]", "not YAML: it nests deeper than 100, or an alias holds itself"),
        ('a: &own {"": *own}', "not YAML: it nests deeper than 100, or an alias holds itself"),
        ("a:" + " [" * 25 + "]" * 25, "settings nest at most 20 deep, but 'a' goes deeper"),
        ("a: !secret 3", "line 1: a: holds a value with the tag '!secret', which no setting takes; put it in quotes"),
        ("a: !secret [3]", "line 1: a: has the tag '!secret', and settings take none; leave it out"),
        ("a:\n  b: !secret {c: 3}", "line 2: a.b: has the tag '!secret', and settings take none; leave it out"),
        ("a: 2024-01-01", "line 1: a: holds a value of type date, which no setting takes; put it in quotes"),
        ("? [a, b]\n: 1", "a key is a text or a number, but one is"),
        (f"a: 0x{'f' * 20}", "line 1: a: a number must fit into 64 bits, but this one takes 80"),
        ('a: "x\\0y"', "line 1: a: a text must not hold the character '\\x00', as nothing can keep it; take it out"),
        ("a: [1", "line 1, column 6: not YAML: expected ',' or ']', but got '<stream end>'"),
        ("a: " + "[" * 1000, "not YAML: it nests too deep"),
        ("- a", "must hold a mapping of settings (key: value), but holds a list"),
    ],
)
def test_what_no_setting_takes_is_refused(text: str, mistake: str) -> None:
    assert mistake in _mistake(text)


def test_a_setting_is_one_value() -> None:
    assert parse_scalar("{a: [1, 1e-3]}", key="space") == {"a": [1, 0.001]}
    with pytest.raises(ConfigError, match=r"the setting study.name=a\\nb: c .*\n  must be one value, but holds lines"):
        parse_scalar("a\nb: c", key="study.name")
