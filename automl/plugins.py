"""Plug-ins by name: lists them, checks options against the constructor, wires them together.

An option of a plug-in is a keyword of its constructor. Parameters whose name is in `INJECTED` come from
the study instead (the space, the schema, ...). A parameter typed with the Protocol of another room takes
`{name: ..., option: ...}` and is built the same way.
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast, get_args, get_type_hints

from automl._errors import ConfigError
from searchspaces import PluginError, foreign_plugins, load_plugin, plugin_names

ROOMS = MappingProxyType(
    {
        "space": "searchspaces.spaces",
        "block": "searchspaces.blocks",
        "embedding": "searchspaces.embeddings",
        "evaluator": "evaluators",
        "predictor": "predictors",
        "searcher": "automl.searchers",
        "store": "storage.stores",
        "tracker": "storage.trackers",
    }
)
NESTED = MappingProxyType({"Predictor": "predictor", "Searcher": "searcher", "Evaluator": "evaluator"})
INJECTED = frozenset({"space", "schema", "objectives", "dataset", "study_seed", "self"})


def names(kind: str) -> tuple[str, ...]:
    """Names of a room's plug-ins, found without importing them."""
    return plugin_names(ROOMS[kind])


def load(kind: str, name: str) -> type:
    """The plug-in's class.

    Raises:
        PluginError: no such name, with the nearest one and all that are known.
    """
    return load_plugin(ROOMS[kind], name)


def origin(kind: str, name: str) -> str:
    """Where a plug-in comes from: 'ctr-automl' or another distribution's entry point."""
    point = foreign_plugins(ROOMS[kind]).get(name)
    return "ctr-automl" if point is None else (point.dist.name if point.dist else point.value)


def mistakes(kind: str, spec: Mapping[str, Any], where: str) -> list[str]:
    """What is wrong with `{name: ..., option: ...}`, one line each; nothing is constructed."""
    name = spec.get("name")
    if not isinstance(name, str):
        return [f"{where}: needs a 'name', one of {', '.join(names(kind))}"]
    try:
        plugin = load(kind, name)
    except PluginError as error:
        return [f"{where}.name: {error}"]
    given = {key: value for key, value in spec.items() if key != "name"}
    return [*_unknown(plugin, given, where), *_missing(plugin, given, where), *_ill_typed(plugin, given, where)]


def construct(kind: str, spec: Mapping[str, Any], context: Mapping[str, object]) -> Any:
    """Builds the plug-in from its options and what the study injects.

    Raises:
        ConfigError: the options do not fit the constructor.
    """
    wrong = mistakes(kind, spec, kind)
    if wrong:
        raise ConfigError(f"the {kind} {spec.get('name')!r}", wrong)
    plugin = load(kind, spec["name"])
    arguments: dict[str, object] = {}
    for parameter, annotation in _parameters(plugin):
        if parameter.name in INJECTED and parameter.name in context:
            arguments[parameter.name] = context[parameter.name]
        elif parameter.name in spec:
            arguments[parameter.name] = _value(annotation, spec[parameter.name], context)
    return plugin(**arguments)


def _value(annotation: object, value: Any, context: Mapping[str, object]) -> object:
    nested = _nested_kind(annotation)
    if nested is not None:
        return None if value is None else construct(nested, value, context)
    from pydantic import TypeAdapter

    adapter: TypeAdapter[object] = TypeAdapter(cast(type[object], annotation))
    return adapter.validate_python(value)


def _parameters(plugin: type) -> Iterator[tuple[inspect.Parameter, object]]:
    hints = get_type_hints(getattr(plugin, "__init__"))  # noqa: B009  # a class, not an instance
    for parameter in inspect.signature(plugin).parameters.values():
        yield parameter, hints.get(parameter.name, Any)


def _options(plugin: type) -> dict[str, tuple[inspect.Parameter, object]]:
    return {
        parameter.name: (parameter, annotation)
        for parameter, annotation in _parameters(plugin)
        if parameter.name not in INJECTED
    }


def _unknown(plugin: type, given: Mapping[str, Any], where: str) -> list[str]:
    known = tuple(_options(plugin))
    return [f"{where}.{key}: unknown option{did_you_mean(key, known)}" for key in given if key not in known]


def _missing(plugin: type, given: Mapping[str, Any], where: str) -> list[str]:
    return [
        f"{where}.{name}: is required"
        for name, (parameter, _) in _options(plugin).items()
        if parameter.default is inspect.Parameter.empty and name not in given
    ]


def _ill_typed(plugin: type, given: Mapping[str, Any], where: str) -> list[str]:
    options = _options(plugin)
    wrong: list[str] = []
    for key in given.keys() & options.keys():
        wrong.extend(_type_mistakes(options[key][1], given[key], f"{where}.{key}"))
    return sorted(wrong)


def _type_mistakes(annotation: object, value: Any, where: str) -> list[str]:
    nested = _nested_kind(annotation)
    if nested is not None:
        return _nested_mistakes(nested, annotation, value, where)
    from pydantic import TypeAdapter, ValidationError

    try:
        TypeAdapter(cast(type[object], annotation)).validate_python(value)
    except ValidationError as error:
        return [f"{where}: {one['msg'][:1].lower()}{one['msg'][1:]}, but is {value!r}" for one in error.errors()[:1]]
    return []


def _nested_mistakes(nested: str, annotation: object, value: Any, where: str) -> list[str]:
    if value is None and type(None) in get_args(annotation):
        return []
    if not isinstance(value, Mapping):
        return [f"{where}: must look like {{name: ...}}, but is {value!r}"]
    return mistakes(nested, value, where)


def _nested_kind(annotation: object) -> str | None:
    for one in (annotation, *get_args(annotation)):
        kind = NESTED.get(getattr(one, "__name__", ""))
        if kind is not None:
            return kind
    return None


def did_you_mean(word: str, known: tuple[str, ...]) -> str:
    """A hint to append to an error about an unknown word: the nearest known one, or all of them."""
    close = difflib.get_close_matches(word, known, n=1)
    if close:
        return f"; did you mean {close[0]!r}?"
    return f" (known: {', '.join(known) or 'none'})"
