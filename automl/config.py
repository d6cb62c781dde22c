"""Configuration of a study: YAML -> `StudyConfig`, every mistake in one `ConfigError`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from automl import plugins
from automl._errors import ConfigError
from automl._ladder_section import ladder_mistakes
from automl._yaml import read_yaml
from evaluators import KNOWN_METRICS, Objective, ObjectiveError
from evaluators._datasets import NO_DATA, RECIPE_NAMES
from searchspaces import did_you_mean, zoo_names
from storage import masked

SCHEMA_VERSION = 1
DEFAULT_STORAGE = "sqlite:///automl.db"
DEFAULT_PLUGINS = MappingProxyType({"space": "autoctr", "searcher": "wl_ehvi", "evaluator": "train"})
Spec = dict[str, Any]

CONTROLS = ("dcnv2", "deepfm", "dlrm", "logistic_regression", "wide_and_deep")
"""Human-made architectures of a study that names none: a few quick ones of different kinds.

All of them are trained before its search begins, so the whole zoo would keep a small search waiting for long.
"""


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudySection(_Section):
    """Name and seed of the study."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^\w[\w.\- ]*$")]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class ObjectiveSection(_Section):
    """One objective; `goal` may be left out for a known metric."""

    metric: str
    goal: str | None = None
    bound: float | None = None


class BudgetSection(_Section):
    """Limits of the search stage."""

    trials: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    rows: Annotated[int, Field(ge=1)] | None = None


class PromotionSection(_Section):
    """How candidates climb from rung to rung."""

    name: str = "asha"
    reduction: Annotated[int, Field(ge=2, le=100)] = 3


class AuditSection(_Section):
    """When the audit of a rung looks, and what it asks for; `automl.fidelity.Rule` says what each means."""

    steps: Annotated[tuple[Annotated[int, Field(ge=6)], ...], Field(min_length=1)] = (12, 24, 36)
    share: Annotated[float, Field(gt=0, le=1)] = 0.8
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.9


class FidelitySection(_Section):
    """The ladder: settings of each rung, the cheapest first and full training last."""

    rungs: Annotated[tuple[Spec, ...], Field(min_length=2)]
    promotion: PromotionSection | None = None
    audit: AuditSection = AuditSection()


class StudyConfig(_Section):
    """Everything that makes a study; what `automl search` reads."""

    schema_version: int
    study: StudySection
    data: str
    space: Spec = Field(default_factory=lambda: {"name": DEFAULT_PLUGINS["space"]})
    searcher: Spec = Field(default_factory=lambda: {"name": DEFAULT_PLUGINS["searcher"]})
    method: Spec | None = None
    evaluator: Spec = Field(default_factory=lambda: {"name": DEFAULT_PLUGINS["evaluator"]})
    objectives: Annotated[tuple[ObjectiveSection, ...], Field(min_length=1)] = (
        ObjectiveSection(metric="ne"),
        ObjectiveSection(metric="flops"),
    )
    budget: BudgetSection = BudgetSection(trials=100)
    storage: str = DEFAULT_STORAGE
    tracker: Spec | None = None
    baseline: str | Spec | None = None
    baselines: tuple[str, ...] | None = None
    fidelity: FidelitySection | None = None

    @field_validator("baseline", mode="before")
    @classmethod
    def _modelled(cls, section: Any) -> Any:
        if section is not None and not isinstance(section, str | Mapping):
            raise PydanticCustomError("baseline", "must be the path of a model, or {architecture: ..., training: ...}")
        return section

    @field_validator("space", "searcher", "evaluator", mode="before")
    @classmethod
    def _named(cls, section: Any, info: ValidationInfo) -> Any:
        """A section without a name means the default plug-in, so that one option can be set alone."""
        return _with_name(str(info.field_name), section) if isinstance(section, Mapping) else section

    def objective_list(self) -> tuple[Objective, ...]:
        """The objectives as values."""
        return tuple(Objective(one.metric, one.goal, one.bound) for one in self.objectives)  # type: ignore[arg-type]

    def training_section(self) -> Spec:
        """The section that says how models are trained: that of the quality where an evaluator composes two."""
        quality = self.evaluator.get("quality")
        return _with_name("evaluator", quality) if isinstance(quality, Mapping) else self.evaluator

    def search_name(self) -> str:
        """The name of what searches: the method's where the study has one, else the searcher's."""
        name: str = (self.method or self.searcher)["name"]
        return name

    def baseline_names(self) -> tuple[str, ...]:
        """Human-made architectures evaluated beside the search and the user's own; `CONTROLS` unless said otherwise."""
        return CONTROLS if self.baselines is None else self.baselines


def load_config(path: Path, overrides: Mapping[str, object] | None = None) -> StudyConfig:
    """The configuration in a file, after `--set key=value` overrides; paths resolve against the file's folder.

    A path among the overriding values resolves against the working directory.

    Raises:
        ConfigError: with every mistake found, each with its line where it has one.
    """
    content, lines = read_yaml(path)
    content = resolve_paths({"storage": DEFAULT_STORAGE, **content}, path.resolve().parent)
    for key, value in (overrides or {}).items():
        _override(content, key, value)
        lines = {line: number for line, number in lines.items() if line != key and not key.startswith(f"{line}.")}
    return parse_config(resolve_paths(content, Path.cwd()), source=str(path), lines=lines)


def parse_config(content: Mapping[str, Any], *, source: str, lines: Mapping[str, int] | None = None) -> StudyConfig:
    """A configuration from plain types.

    Raises:
        ConfigError: with every mistake found.
    """
    version = content.get("schema_version")
    if version != SCHEMA_VERSION:
        reason = f"this release reads configurations of schema_version {SCHEMA_VERSION}, but this one says {version!r}"
        raise ConfigError(source, [_located("schema_version", reason, lines or {})])
    wrong = [*_shallow_mistakes(content), *_deep_mistakes(content)]
    if wrong:
        raise ConfigError(source, _by_line(wrong, lines or {}))
    return StudyConfig.model_validate(content)


def _by_line(wrong: Sequence[tuple[str, str]], lines: Mapping[str, int]) -> list[str]:
    placed = [(lines.get(_known(key, lines), 0), _located(key, reason, lines)) for key, reason in wrong]
    return [text for _, text in sorted(placed, key=itemgetter(0))]


def _shallow_mistakes(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the schema finds: unknown and missing keys, values of a wrong type or out of range."""
    try:
        StudyConfig.model_validate(content)
    except ValidationError as error:
        return [_described(one) for one in error.errors()]
    return []


def resolve_paths(content: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The same content with relative paths made absolute: of data, store, tracker, models, tables, trainers."""
    resolved = {**content, **_resolved_space(content.get("space"), base)}
    if isinstance(resolved.get("baseline"), str):
        resolved["baseline"] = str(base / resolved["baseline"])
    if isinstance(resolved.get("data"), str) and not _is_recipe(resolved["data"], base):
        resolved["data"] = str(base / resolved["data"])
    if isinstance(resolved.get("storage"), str):
        resolved["storage"] = resolve_url(resolved["storage"], base)
    tracker = resolved.get("tracker")
    if isinstance(tracker, Mapping):
        if tracker.get("name") == "mlflow" and "uri" not in tracker and not os.environ.get("MLFLOW_TRACKING_URI"):
            tracker = {**tracker, "uri": "sqlite:///mlflow.db"}  # beside the file, wherever a resume starts
        resolved["tracker"] = {key: _resolve_option(key, value, base) for key, value in tracker.items()}
    if isinstance(resolved.get("evaluator"), Mapping):
        resolved["evaluator"] = _resolved_evaluator(resolved["evaluator"], base)
    return resolved


def _resolved_evaluator(evaluator: Mapping[str, Any], base: Path) -> dict[str, Any]:
    parts = {name: _resolved_evaluator(one, base) for name, one in _nested(evaluator, "quality", "speed")}
    named = ("table", "working_folder", "coefficients")
    places = {name: evaluator[name] for name in named if isinstance(evaluator.get(name), str)}
    if evaluator.get("name") == "external":
        places.setdefault("working_folder", evaluator.get("working_folder", "."))  # beside the file that names it
    return {**evaluator, **parts, **{name: str(base / one) for name, one in places.items() if isinstance(one, str)}}


def _resolved_space(space: object, base: Path) -> dict[str, Any]:
    if not isinstance(space, Mapping):
        return {}
    places = {name: str(base / space[name]) for name in ("file", "table", "model") if isinstance(space.get(name), str)}
    sides = {name: _resolved_space(one, base)["space"] for name, one in _nested(space, "architecture", "system")}
    return {"space": {**space, **places, **sides}}


def _nested(section: Mapping[str, Any], *names: str) -> list[tuple[str, Mapping[str, Any]]]:
    """Sections of plug-ins inside one, such as the sides of the space `joint`."""
    return [(name, section[name]) for name in names if isinstance(section.get(name), Mapping)]


def resolve_url(url: str, base: Path) -> str:
    """A SQLite URL with a relative file made absolute; any other URL unchanged.

    >>> resolve_url("sqlite:///a.db", Path("/home"))
    'sqlite:////home/a.db'
    >>> resolve_url("sqlite:///file:a.db?uri=true", Path("/home"))
    'sqlite:///file:/home/a.db?uri=true'
    """
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url == prefix or url.startswith(f"{prefix}:memory:"):
        return url
    prefix += "file:" if url.startswith(f"{prefix}file:") else ""  # SQLite's own kind of address
    return prefix + str(base / url.removeprefix(prefix))


def _is_recipe(data: str, base: Path) -> bool:
    return data in (*RECIPE_NAMES, NO_DATA) and not (base / data).exists()


def _resolve_option(key: str, value: Any, base: Path) -> Any:
    if not isinstance(value, str):
        return value
    return resolve_url(value, base) if key == "uri" else str(base / value) if key == "path" else value


def _override(content: dict[str, Any], key: str, value: object) -> None:
    *parents, last = key.split(".")
    place = content
    for parent in parents:
        below = place.get(parent)
        place[parent] = dict(below) if isinstance(below, Mapping) else {}
        place = place[parent]
    place[last] = value


def _deep_mistakes(content: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the rooms find in the sections that are well-formed: unknown plug-ins, options, metrics, baselines."""
    wrong: list[str] = []
    for kind in ("space", "searcher", "method", "evaluator", "tracker"):
        section = content.get(kind)
        if isinstance(section, Mapping):
            wrong += plugins.mistakes(kind, _with_name(kind, section), kind)
    wrong += [text for at, section in _listed(content, "objectives") for text in _objective_mistakes(at, section)]
    wrong += [*_doubled_objectives(content), *_shared_database(content), *ladder_mistakes(content)]
    wrong += _method_mistakes(content)
    known = zoo_names()
    wrong += [
        f"baselines: no human-made architecture {name!r}; {did_you_mean(str(name), known)}"
        for _, name in _listed(content, "baselines")
        if name not in known
    ]
    return [(key, reason) for key, _, reason in (text.partition(": ") for text in wrong)]


def _listed(content: Mapping[str, Any], key: str) -> list[tuple[int, Any]]:
    section = content.get(key)
    return list(enumerate(section)) if isinstance(section, list | tuple) else []


def _objective_mistakes(at: int, section: Any) -> list[str]:
    if not isinstance(section, Mapping) or not isinstance(section.get("metric"), str):
        return []  # the schema has told of that
    metric: str = section["metric"]
    bound = section.get("bound")
    try:
        Objective(metric, section.get("goal"), bound if isinstance(bound, int | float) else None)  # type: ignore[arg-type]
    except ObjectiveError as error:
        return [f"objectives.{at}: {error}; {did_you_mean(metric, tuple(KNOWN_METRICS))}"]
    return []


def _method_mistakes(content: Mapping[str, Any]) -> list[str]:
    """A method takes the place of a searcher, and what it reads out is trained in full."""
    if content.get("method") is None:
        return []
    beside = {"searcher": "leave one of the two out", "fidelity": "what it reads out is trained in full; leave it out"}
    return [
        f"{key}: a study with a method has none: {way_out}"
        for key, way_out in beside.items()
        if content.get(key) is not None
    ]


def _doubled_objectives(content: Mapping[str, Any]) -> list[str]:
    named = [section.get("metric") for _, section in _listed(content, "objectives") if isinstance(section, Mapping)]
    texts = [one for one in named if isinstance(one, str)]
    return [
        f"objectives: each metric is one objective, but {one!r} is named {texts.count(one)} times; name it once"
        for one in sorted(set(texts))
        if texts.count(one) > 1
    ]


def _shared_database(content: Mapping[str, Any]) -> list[str]:
    tracker = content.get("tracker")
    uri = tracker.get("uri") if isinstance(tracker, Mapping) else None
    if not isinstance(uri, str) or uri != content.get("storage"):
        return []
    return [f"tracker.uri: the tracker needs a database of its own, but {masked(uri)} is the store; name another one"]


def _described(error: Any) -> tuple[str, str]:
    location: Sequence[int | str] = error["loc"]
    key = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        return key, f"unknown key; {did_you_mean(str(location[-1]), _known_keys(location))}"
    if error["type"] == "missing":
        return key, "is required"
    message = error["msg"][:1].lower() + error["msg"][1:]
    value = error["input"]
    return key, f"{message}, but is {masked(repr(value))}" if len(repr(value)) < 100 else message


def _known_keys(location: Sequence[int | str]) -> tuple[str, ...]:
    sections: dict[str, type[BaseModel]] = {
        "study": StudySection,
        "objectives": ObjectiveSection,
        "budget": BudgetSection,
        "fidelity": FidelitySection,
        "fidelity.promotion": PromotionSection,
        "fidelity.audit": AuditSection,
    }
    parents = [".".join(map(str, location[:count])) for count in range(len(location) - 1, 0, -1)]
    model = next((sections[one] for one in parents if one in sections), StudyConfig)
    return tuple(model.model_fields)


def _with_name(kind: str, section: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": DEFAULT_PLUGINS[kind], **section} if kind in DEFAULT_PLUGINS else dict(section)


def _known(key: str, lines: Mapping[str, int]) -> str:
    """The nearest key above that has a line; empty where none has."""
    while key and key not in lines:
        key = key.rpartition(".")[0]
    return key


def _located(key: str, reason: str, lines: Mapping[str, int]) -> str:
    known = _known(key, lines)
    return f"line {lines[known]}: {key}: {reason}" if known else f"{key}: {reason}"
