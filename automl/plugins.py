"""Plug-ins by name: lists them, checks options against the constructor, wires them together.

An option of a plug-in is a keyword of its constructor. Parameters whose name is in `INJECTED` come from
the study instead (the space, the schema, ...). A parameter typed with the Protocol of another room takes
`{name: ..., option: ...}` and is built the same way.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, cast, get_args, get_type_hints

from automl._errors import ConfigError
from searchspaces import PluginError, did_you_mean, foreign_plugins, load_plugin, plugin_names, plugin_summary
from storage import masked

ROOMS = MappingProxyType(
    {
        "space": "searchspaces.spaces",
        "block": "searchspaces.blocks",
        "embedding": "searchspaces.embeddings",
        "evaluator": "evaluators",
        "predictor": "predictors",
        "searcher": "automl.searchers",
        "method": "automl.methods",
        "store": "storage.stores",
        "tracker": "storage.trackers",
    }
)
NESTED = MappingProxyType(
    {"Predictor": "predictor", "Searcher": "searcher", "Evaluator": "evaluator", "SearchSpace": "space"}
)
INJECTED = frozenset(
    {"space", "schema", "objectives", "dataset", "study_seed", "controls", "self"}
    | {"budget_trials", "budget_seconds", "budget_rows"}
)


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


def summary(kind: str, name: str) -> str:
    """What a plug-in is, in one line, without importing it; empty for one of another distribution."""
    return plugin_summary(ROOMS[kind], name)


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


def options(kind: str, spec: Mapping[str, Any]) -> dict[str, Any]:
    """The given options as the constructor will get them (`1e3` rows are 1000), nested plug-ins left as they are."""
    annotations = {name: annotation for name, (_, annotation) in _options(load(kind, spec["name"])).items()}
    return {
        key: value if _nested_kind(annotations[key]) else _value(annotations[key], value, {})
        for key, value in spec.items()
        if key != "name"
    }


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
    return [f"{where}.{key}: unknown option; {did_you_mean(key, known)}" for key in given if key not in known]


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
        reason = error.errors()[0]["msg"]
        return [f"{where}: {reason[:1].lower()}{reason[1:]}, but is {masked(repr(value))}"]
    return []


def _nested_mistakes(nested: str, annotation: object, value: Any, where: str) -> list[str]:
    if value is None and type(None) in get_args(annotation):
        return []
    if not isinstance(value, Mapping):
        return [f"{where}: must look like {{name: ...}}, but is {masked(repr(value))}"]
    return mistakes(nested, value, where)


def _nested_kind(annotation: object) -> str | None:
    for one in (annotation, *get_args(annotation)):
        kind = NESTED.get(getattr(one, "__name__", ""))
        if kind is not None:
            return kind
    return None
