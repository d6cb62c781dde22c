"""Reads YAML 1.2 safely, with the line of every key: `1e-3` is a number, no tag runs code."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from automl._errors import ConfigError

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
    from ruamel.yaml.error import YAMLError

    yaml = YAML(typ="rt")
    yaml.allow_duplicate_keys = False
    try:
        content = yaml.load(text)
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        raise ConfigError(source, [f"{place}not YAML: {getattr(error, 'problem', None) or error}"]) from error
    if not isinstance(content, Mapping):
        found = "nothing" if content is None else "a list" if isinstance(content, list) else repr(content)[:60]
        raise ConfigError(source, [f"must hold a mapping of settings (key: value), but holds {found}"])
    lines: dict[str, int] = {}
    plain = _plain(content, "", lines, source)
    return plain, lines


def parse_scalar(text: str) -> Any:
    """A YAML value from the command line: a number, a string, a list or a mapping."""
    value, _ = parse_yaml(f"value: {text}", f"the value {text!r}")
    return value["value"]


def to_yaml(content: Mapping[str, Any]) -> str:
    """YAML text of plain types, keys in the order given."""
    from ruamel.yaml import YAML

    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    stream = io.StringIO()
    yaml.dump(dict(content), stream)
    return stream.getvalue()


def _plain(value: Any, key: str, lines: dict[str, int], source: str) -> Any:
    if key.count(".") > MAX_DEPTH:
        raise ConfigError(source, [f"settings nest at most {MAX_DEPTH} deep, but {key.split('.')[0]!r} goes deeper"])
    if isinstance(value, Mapping):
        return {str(name): _entry(value, name, key, lines, source) for name in value}
    if isinstance(value, list):
        return [_plain(item, f"{key}.{at}", lines, source) for at, item in enumerate(value)]
    for plain in (bool, int, float, str):
        if isinstance(value, plain):
            return plain(value)
    return value


def _entry(mapping: Any, name: Any, key: str, lines: dict[str, int], source: str) -> Any:
    dotted = f"{key}.{name}" if key else str(name)
    if name in (mapping.lc.data or {}):  # a key that a merge brought in has no line of its own
        lines[dotted] = mapping.lc.key(name)[0] + 1
    return _plain(mapping[name], dotted, lines, source)
