"""A malformed input: what is spoiled, the command that meets it, and what its error must name."""

from __future__ import annotations

import copy
import gzip
import json
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from automl._yaml import to_yaml

Spoil = Callable[[Path], None]
Key = str | int


@dataclass(frozen=True)
class Case:
    """One malformed input. `names` are words that the error must hold; `code` is the exit code that is documented."""

    name: str
    spoil: Spoil
    command: tuple[str, ...]
    names: tuple[str, ...]
    code: int = 2


def nothing(_place: Path) -> None:
    """Spoils nothing: the command itself is malformed."""


def written(name: str, content: str | bytes) -> Spoil:
    """Puts other content into a file."""
    raw = content.encode() if isinstance(content, str) else content
    return lambda place: _write(place / name, raw)


def gzipped(name: str, content: str) -> Spoil:
    """Puts gzipped content into a file."""
    return written(name, gzip.compress(content.encode(), mtime=0))


def replaced(name: str, old: str, new: str) -> Spoil:
    """Replaces a text within a file, which must hold it."""

    def spoil(place: Path) -> None:
        text = (place / name).read_text(encoding="utf-8")
        assert old in text
        (place / name).write_text(text.replace(old, new), encoding="utf-8")

    return spoil


def removed(name: str) -> Spoil:
    """Takes a file or folder away."""
    return lambda place: remove(place / name)


def folder_instead(name: str) -> Spoil:
    """Puts an empty folder in a file's place."""

    def spoil(place: Path) -> None:
        remove(place / name)
        (place / name).mkdir()

    return spoil


def dangling(name: str) -> Spoil:
    """Puts a link to nothing in a file's place."""

    def spoil(place: Path) -> None:
        remove(place / name)
        (place / name).symlink_to("nowhere")

    return spoil


def cut(name: str, size: int) -> Spoil:
    """Keeps the first bytes of a file; a negative size leaves out the last ones."""
    return lambda place: _write(place / name, (place / name).read_bytes()[:size])


def overwritten(name: str, offset: int, content: bytes) -> Spoil:
    """Writes over some bytes of a file."""

    def spoil(place: Path) -> None:
        raw = bytearray((place / name).read_bytes())
        raw[offset : offset + len(content)] = content
        (place / name).write_bytes(raw)

    return spoil


def edited(name: str, *path: Key, to: object) -> Spoil:
    """Sets a value deep in a YAML or JSON file."""
    return changed(name, lambda content: _set(content, path, to))


def dropped(name: str, *path: Key) -> Spoil:
    """Takes a key or item out of a YAML or JSON file."""

    def drop(content: Any) -> None:
        *above, last = path
        del _at(content, above)[last]

    return changed(name, drop)


def changed(name: str, change: Callable[[Any], None]) -> Spoil:
    """Changes the content of a YAML or JSON file."""

    def spoil(place: Path) -> None:
        content = read(place / name)
        change(content)
        text = json.dumps(content) if name.endswith(".json") else to_yaml(content)
        (place / name).write_text(text, encoding="utf-8")

    return spoil


def both(*spoils: Spoil) -> Spoil:
    """One after the other."""

    def spoil(place: Path) -> None:
        for one in spoils:
            one(place)

    return spoil


def read(path: Path) -> Any:
    """The content of a YAML or JSON file."""
    text = path.read_text(encoding="utf-8")
    return json.loads(text) if path.suffix == ".json" else YAML(typ="safe", pure=True).load(text)


def _at(content: Any, path: Sequence[Key]) -> Any:
    for key in path:
        content = content[key]
    return content


def _set(content: Any, path: Sequence[Key], value: object) -> None:
    *above, last = path
    _at(content, above)[last] = copy.deepcopy(value)


def _write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


def remove(path: Path) -> None:
    """Takes a file, link or folder away."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
