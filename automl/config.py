"""Configuration of a study: YAML -> `StudyConfig`, every mistake in one `ConfigError`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from automl import plugins
from automl._errors import ConfigError
from automl._yaml import parse_scalar, read_yaml
from evaluators import KNOWN_METRICS, Objective, ObjectiveError
from searchspaces import zoo_names

SCHEMA_VERSION = 1
Spec = dict[str, Any]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StudySection(_Section):
    """Name and seed of the study."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[\w.\- ]+$")]
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0


class ObjectiveSection(_Section):
    """One objective; `goal` may be left out for a known metric."""

    metric: str
    goal: str | None = None
    bound: float | None = None


class BudgetSection(_Section):
    """Limits of the search stage."""

    trials: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    rows: Annotated[int, Field(ge=1)] | None = None


class StudyConfig(_Section):
    """Everything that makes a study; what `automl search` reads."""

    schema_version: int
    study: StudySection
    data: str
    space: Spec = Field(default_factory=lambda: {"name": "autoctr"})
    searcher: Spec = Field(default_factory=lambda: {"name": "autoctr"})
    evaluator: Spec = Field(default_factory=lambda: {"name": "train"})
    objectives: Annotated[tuple[ObjectiveSection, ...], Field(min_length=1)] = (
        ObjectiveSection(metric="ne"),
        ObjectiveSection(metric="flops"),
    )
    budget: BudgetSection = BudgetSection(trials=100)
    storage: str = "sqlite:///automl.db"
    tracker: Spec | None = None
    baselines: tuple[str, ...] | None = None

    @field_validator("space", "searcher", "evaluator", mode="before")
    @classmethod
    def _named(cls, section: Any, info: ValidationInfo) -> Any:
        """A section without a name means the default plug-in, so that one option can be set alone."""
        if not isinstance(section, Mapping) or "name" in section:
            return section
        return {**cls.model_fields[str(info.field_name)].get_default(call_default_factory=True), **section}

    def objective_list(self) -> tuple[Objective, ...]:
        """The objectives as values."""
        return tuple(Objective(one.metric, one.goal, one.bound) for one in self.objectives)  # type: ignore[arg-type]

    def baseline_names(self) -> tuple[str, ...]:
        """Human-made architectures evaluated beside the search; all of the zoo unless said otherwise."""
        return zoo_names() if self.baselines is None else self.baselines


def load_config(path: Path, overrides: Mapping[str, str] | None = None) -> StudyConfig:
    """The configuration in a file, after `--set key=value` overrides; paths resolve against the file's folder.

    Overriding values are YAML; a path among them resolves against the working directory.

    Raises:
        ConfigError: with every mistake found, each with its line where it has one.
    """
    content, lines = read_yaml(path)
    content = resolve_paths(content, path.resolve().parent)
    for key, text in (overrides or {}).items():
        _override(content, key, text)
        lines.pop(key, None)
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
    try:
        config = StudyConfig.model_validate(content)
    except ValidationError as error:
        wrong = [_described(one) for one in error.errors()]
        raise ConfigError(source, [_located(key, reason, lines or {}) for key, reason in wrong]) from None
    wrong = [(line.split(":")[0], line.partition(": ")[2]) for line in _deep_mistakes(config)]
    if wrong:
        raise ConfigError(source, [_located(key, reason, lines or {}) for key, reason in wrong])
    return config


def resolve_paths(content: Mapping[str, Any], base: Path) -> dict[str, Any]:
    """The same content with relative paths in `data`, `storage` and the tracker made absolute."""
    resolved = dict(content)
    if isinstance(resolved.get("data"), str):
        resolved["data"] = str(base / resolved["data"])
    if isinstance(resolved.get("storage"), str):
        resolved["storage"] = resolve_url(resolved["storage"], base)
    tracker = resolved.get("tracker")
    if isinstance(tracker, Mapping):
        resolved["tracker"] = {key: _resolve_option(key, value, base) for key, value in tracker.items()}
    return resolved


def resolve_url(url: str, base: Path) -> str:
    """A SQLite URL with a relative file made absolute; any other URL unchanged.

    >>> resolve_url("sqlite:///a.db", Path("/home"))
    'sqlite:////home/a.db'
    """
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url == prefix or url.startswith(f"{prefix}:memory:"):
        return url
    return prefix + str(base / url.removeprefix(prefix))


def _resolve_option(key: str, value: Any, base: Path) -> Any:
    if not isinstance(value, str):
        return value
    return resolve_url(value, base) if key == "uri" else str(base / value) if key == "path" else value


def _override(content: dict[str, Any], key: str, text: str) -> None:
    *parents, last = key.split(".")
    place = content
    for parent in parents:
        below = place.get(parent)
        place[parent] = dict(below) if isinstance(below, Mapping) else {}
        place = place[parent]
    place[last] = parse_scalar(text)


def _deep_mistakes(config: StudyConfig) -> list[str]:
    wrong = [
        line
        for kind in ("space", "searcher", "evaluator")
        for line in plugins.mistakes(kind, getattr(config, kind), kind)
    ]
    if config.tracker is not None:
        wrong += plugins.mistakes("tracker", config.tracker, "tracker")
    for at, section in enumerate(config.objectives):
        try:
            Objective(section.metric, section.goal, section.bound)  # type: ignore[arg-type]
        except ObjectiveError as error:
            near = difflib.get_close_matches(section.metric, KNOWN_METRICS, n=1)
            wrong.append(f"objectives.{at}: {error}{f'; did you mean {near[0]!r}?' if near else ''}")
    known = zoo_names()
    wrong += [
        f"baselines: no human-made architecture {name!r}{plugins.did_you_mean(name, known)}"
        for name in config.baseline_names()
        if name not in known
    ]
    return wrong


def _described(error: Any) -> tuple[str, str]:
    location: Sequence[int | str] = error["loc"]
    key = ".".join(str(part) for part in location)
    if error["type"] == "extra_forbidden":
        return key, f"unknown key{plugins.did_you_mean(str(location[-1]), _known_keys(location))}"
    if error["type"] == "missing":
        return key, "is required"
    message = error["msg"][:1].lower() + error["msg"][1:]
    value = error["input"]
    return key, f"{message}, but is {value!r}" if len(repr(value)) < 100 else message


def _known_keys(location: Sequence[int | str]) -> tuple[str, ...]:
    sections: dict[str, type[BaseModel]] = {
        "study": StudySection,
        "objectives": ObjectiveSection,
        "budget": BudgetSection,
    }
    model = sections.get(str(location[0]), StudyConfig) if len(location) > 1 else StudyConfig
    return tuple(model.model_fields)


def _located(key: str, reason: str, lines: Mapping[str, int]) -> str:
    known = key
    while known and known not in lines:
        known = known.rpartition(".")[0]
    return f"line {lines[known]}: {key}: {reason}" if known else f"{key}: {reason}"
