"""Reads YAML 1.2 safely, with the line of every key: `1e-3` is a number, no tag runs code."""

from __future__ import annotations

import io
import reprlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl._errors import ConfigError
from evaluators._plain_yaml import NotPlainError, place_of, plain_yaml, reason_of, unfit_character

MAX_BYTES = 1_000_000
MAX_DEPTH = 20


def read_yaml(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The mapping in a file, as plain types, and the line (from 1) of each dotted key.

    Raises:
        ConfigError: the file is missing, too large, not YAML, or holds no mapping.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ConfigError(str(path), ["no such file; `automl init NAME` writes one to start from"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"cannot be read: {error}"]) from error
    if len(text) > MAX_BYTES:
        raise ConfigError(str(path), [f"a configuration has at most {MAX_BYTES} characters, but this has {len(text)}"])
    return parse_yaml(text, str(path))


def parse_yaml(text: str, source: str) -> tuple[dict[str, Any], dict[str, int]]:
    """As `read_yaml`, from a text; `source` names it in errors."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    _check_aliases(text, source)
    try:
        content = yaml.load(text)
    except Exception as error:  # the parser meets what nobody foresaw, and may raise anything
        place = place_of(error)
        raise ConfigError(source, [f"{place}{': ' if place else ''}not YAML: {reason_of(error)}"]) from error
    if not isinstance(content, Mapping):
        found = "nothing" if content is None else "a list" if isinstance(content, list) else reprlib.repr(content)
        raise ConfigError(source, [f"must hold a mapping of settings (key: value), but holds {found}"])
    reader = _Reader(source)
    return reader.mapping(content, (), ""), reader.lines


def parse_scalar(text: str, *, key: str) -> Any:
    """A YAML value from the command line: a number, a string, a list or a mapping. `key` names it in errors.

    Raises:
        ConfigError: it is not YAML, or more than one value.
    """
    source = f"the setting {key}={reprlib.repr(text)[1:-1]}"
    content, _ = parse_yaml(f"value: {text}", source)
    if list(content) != ["value"]:
        raise ConfigError(source, ["must be one value, but holds lines with keys of their own; write it in quotes"])
    return content["value"]


def to_yaml(content: Mapping[str, Any]) -> str:
    """YAML text of plain types, keys in the order given."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    yaml.dump(dict(content), stream)
    return stream.getvalue()


def _check_aliases(text: str, source: str) -> None:
    """The parser that knows lines takes a few lines that stand for a world, and null for an alias that holds itself."""
    if "&" not in text or "*" not in text:
        return
    try:
        plain_yaml(text)
    except NotPlainError as error:
        place = f"{error.place}: " if error.place else ""
        raise ConfigError(source, [f"{place}not YAML: {error.reason}"]) from error


class _Reader:
    """Turns what the parser gives into plain types, and remembers the line of every key."""

    def __init__(self, source: str) -> None:
        self.lines: dict[str, int] = {}
        self._source = source

    def mapping(self, content: Any, above: tuple[str, ...], key: str) -> dict[str, Any]:
        """A mapping below the keys `above`, all of which `key` writes in one."""
        self._check_tag(content, key)
        return {str(name): self._entry(content, name, above, key) for name in content}

    def _entry(self, mapping: Any, name: Any, above: tuple[str, ...], key: str) -> Any:
        if name is not None and not isinstance(name, _SCALARS):
            raise self._mistake(key, f"a key is a text or a number, but one is {reprlib.repr(_readable(name))}")
        dotted = f"{key}.{name}" if above else str(name)
        if name in (mapping.lc.data or {}):  # a key that a merge brought in has no line of its own
            self.lines[dotted] = mapping.lc.key(name)[0] + 1
        return self._plain(mapping[name], (*above, str(name)), dotted)

    def _plain(self, value: Any, above: tuple[str, ...], key: str) -> Any:
        self._check_depth(above)
        if isinstance(value, Mapping):
            return self.mapping(value, above, key)
        if isinstance(value, list):
            self._check_tag(value, key)
            return [self._plain(item, (*above, str(at)), f"{key}.{at}") for at, item in enumerate(value)]
        return None if value is None else self._scalar(value, key)

    def _check_depth(self, above: tuple[str, ...]) -> None:
        if len(above) > MAX_DEPTH:
            reason = f"settings nest at most {MAX_DEPTH} deep, but {above[0][:50]!r} goes deeper"
            raise ConfigError(self._source, [reason])

    def _scalar(self, value: Any, key: str) -> Any:
        plain = next((one for one in _SCALARS if isinstance(value, one)), None)
        if plain is None:
            raise self._mistake(key, f"holds {_kind_of(value)}, which no setting takes; put it in quotes")
        if isinstance(value, int) and value.bit_length() > 63:
            raise self._mistake(key, f"a number must fit into 64 bits, but this one takes {value.bit_length()}")
        if isinstance(value, str):
            self._check_text(value, key)
        return plain(value)

    def _check_text(self, text: str, key: str) -> None:
        unfit = unfit_character(text)
        if unfit:
            raise self._mistake(key, f"a text must not hold the character {unfit}, as nothing can keep it; take it out")

    def _check_tag(self, content: Any, key: str) -> None:
        if _tag_of(content):
            raise self._mistake(key, f"has the tag {_tag_of(content)[:50]!r}, and settings take none; leave it out")

    def _mistake(self, key: str, reason: str) -> ConfigError:
        place = f"line {self.lines[key]}: " if key in self.lines else ""
        return ConfigError(self._source, [f"{place}{key}: {reason}" if key else reason])


_SCALARS = (bool, int, float, str)


def _tag_of(content: Any) -> str:
    """The tag that somebody wrote before a value; the parser keeps it beside the value."""
    tag = getattr(getattr(content, "tag", None), "value", None)
    return "" if tag is None else str(tag)


def _kind_of(value: Any) -> str:
    tag = _tag_of(value)
    return f"a value with the tag {tag[:50]!r}" if tag else f"a value of type {type(value).__name__.lower()}"


def _readable(name: Any) -> Any:
    """A key that is a list or mapping, without the parser's own words around it."""
    return list(name) if isinstance(name, tuple) else name
