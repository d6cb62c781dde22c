"""Finds plug-ins by file name: a room lists its modules without importing them."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from types import ModuleType

from searchspaces._errors import PluginError, did_you_mean


@cache
def plugin_names(room: str) -> tuple[str, ...]:
    """Names in a room such as `automl.searchers`, sorted; nothing heavy is imported.

    Modules and folders with a leading underscore are private; other distributions add theirs through
    the entry-point group `ctr_automl.` followed by the last part of the room's name.
    """
    package = importlib.import_module(room)
    own = {module.name for module in pkgutil.iter_modules(package.__path__) if not module.name.startswith("_")}
    aliases = _aliases(room)
    return tuple(sorted((own - set(aliases.values())) | set(aliases) | set(foreign_plugins(room))))


@cache
def foreign_plugins(room: str) -> dict[str, EntryPoint]:
    """Entry points of other distributions for this room, by name."""
    group = f"ctr_automl.{room.rpartition('.')[2]}"
    return {point.name: point for point in entry_points(group=group)}


def plugin_summary(room: str, name: str) -> str:
    """The first line of a plug-in's own text, read without importing it; empty for one of another distribution."""
    if name in foreign_plugins(room):
        return ""
    package = importlib.import_module(room)
    module = _aliases(room).get(name, name)
    for folder in package.__path__:
        for path in (Path(folder, f"{module}.py"), Path(folder, module, "__init__.py")):
            if path.is_file():
                told = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
                return told.partition("\n")[0]
    return ""


def load_plugin(room: str, name: str) -> type:
    """The single class that the module `name` of `room` exports.

    Raises:
        PluginError: the room has no such plug-in, or its module does not list exactly one name in `__all__`.
    """
    known = plugin_names(room)
    if name not in known:
        raise PluginError(f"no {name!r} in {room}; {did_you_mean(name, known)}")
    foreign = foreign_plugins(room).get(name)
    if foreign is not None:
        loaded: type = foreign.load()
        return loaded
    module, exported = _own_module(room, name)
    plugin: type = getattr(module, exported)
    return plugin


@cache
def _own_module(room: str, name: str) -> tuple[ModuleType, str]:
    """A plug-in's module and the name that it exports; remembered, since each node of a candidate asks for its block.

    Raises:
        PluginError: it does not list exactly one name in `__all__`.
    """
    module = importlib.import_module(f"{room}.{_aliases(room).get(name, name)}")
    exported: Sequence[str] = getattr(module, "__all__", ())
    if len(exported) != 1:
        raise PluginError(f"a plug-in module exports one class in __all__, but {room}.{name} exports {list(exported)}")
    return module, exported[0]


def _aliases(room: str) -> Mapping[str, str]:
    """Names under which users know a plug-in whose module must not be named like a dependency."""
    aliases: Mapping[str, str] = getattr(importlib.import_module(room), "ALIASES", {})
    return aliases
