"""Where each setting comes from: flag > environment > file > default."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from automl import plugins
from automl._finding import Finding, State
from automl._yaml import read_yaml
from automl.config import StudyConfig, load_config
from storage import masked

SECTIONS = ("space", "searcher", "method", "evaluator", "tracker")
ENVIRONMENT = (
    "AUTOML_STORAGE", "AUTOML_HOME", "MLFLOW_TRACKING_URI", "MLFLOW_EXPERIMENT_NAME", "MLFLOW_TRACKING_USERNAME",
    "MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS",
    "GOMP_SPINCOUNT", "CUBLAS_WORKSPACE_CONFIG", "TMPDIR",
)  # fmt: skip
"""Variables that change what a search does."""

SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN")
TRACKER_ENVIRONMENT = {"uri": "MLFLOW_TRACKING_URI", "experiment": "MLFLOW_EXPERIMENT_NAME"}
UNSAID = "none"


@dataclass(frozen=True)
class Setting:
    """One key of a configuration as the search will have it; `origin` is flag, environment, file or default."""

    key: str
    value: str
    origin: str


def settings_of(path: Path, flags: Mapping[str, object], environment: Mapping[str, str] = os.environ) -> list[Setting]:
    """Every setting of a configuration file under these flags, secrets masked, options of plug-ins included.

    Raises:
        ConfigError: with every mistake found.
    """
    _, lines = read_yaml(path)
    overrides = dict(flags)
    has_store = "storage" not in overrides and bool(environment.get("AUTOML_STORAGE"))
    if has_store:
        overrides["storage"] = environment["AUTOML_STORAGE"]
    config = load_config(path, overrides)
    from_environment = {"storage": "AUTOML_STORAGE"} if has_store else {}
    found = {**_flat(config.model_dump(mode="json")), **_plugin_defaults(config)}
    from_environment |= _tracker_environment(config, found, lines, flags, environment)
    return [
        Setting(key, masked(_text(value)), _origin(key, flags, from_environment, lines))
        for key, value in sorted(found.items(), key=lambda item: _place(item[0], config))
    ]


def setting_findings(settings: list[Setting], environment: Mapping[str, str] = os.environ) -> list[Finding]:
    """The settings and the variables that are set; warns of a variable that the file overrules."""
    found = [Finding("setting", one.key, one.value, origin=one.origin) for one in settings]
    for name in ENVIRONMENT:
        if environment.get(name):
            value = "***" if name in SECRETS else masked(environment[name])
            found.append(Finding("environment", name, value, origin="environment"))
    return [*found, *_overruled(settings, environment)]


def _overruled(settings: list[Setting], environment: Mapping[str, str]) -> Iterator[Finding]:
    by_key = {one.key: one for one in settings}
    for option, name in TRACKER_ENVIRONMENT.items():
        setting = by_key.get(f"tracker.{option}")
        is_ours = "tracker.name" in by_key and by_key["tracker.name"].value == "mlflow"
        if is_ours and environment.get(name) and setting and setting.origin.startswith("file"):
            text = f"tracker.{option} of the file is used, not {name} of the environment"
            way_out = f"take tracker.{option} out of the file, or unset {name}"
            yield Finding("environment", name, text, State.WARNING, way_out=way_out)


def _origin(key: str, flags: Mapping[str, object], environment: Mapping[str, str], lines: Mapping[str, int]) -> str:
    if any(key == flag or key.startswith(f"{flag}.") for flag in flags):
        return "flag"
    if key in environment:
        return f"environment {environment[key]}"
    return f"file, line {lines[key]}" if key in lines else "default"


def _plugin_defaults(config: StudyConfig) -> dict[str, object]:
    """Options of the chosen plug-ins that nobody has set."""
    found: dict[str, object] = {}
    for section in SECTIONS:
        if section == "searcher" and config.method is not None:
            continue
        spec: Mapping[str, Any] | None = getattr(config, section)
        if spec is None:
            continue
        for parameter in inspect.signature(plugins.load(section, spec["name"])).parameters.values():
            if parameter.name not in plugins.INJECTED and parameter.name not in spec:
                found[f"{section}.{parameter.name}"] = UNSAID if parameter.default is None else parameter.default
    return found


def _tracker_environment(
    config: StudyConfig,
    found: dict[str, object],
    lines: Mapping[str, int],
    flags: Mapping[str, object],
    environment: Mapping[str, str],
) -> dict[str, str]:
    """Puts in what MLflow's tracker takes from the environment where neither flag nor file says it."""
    origins = {}
    for option, name in TRACKER_ENVIRONMENT.items():
        key = f"tracker.{option}"
        is_said = key in lines or any(flag in (key, "tracker") for flag in flags)
        if config.tracker and config.tracker["name"] == "mlflow" and environment.get(name) and not is_said:
            found[key] = environment[name]
            origins[key] = name
    return origins


def _flat(content: Mapping[str, Any], above: str = "") -> dict[str, object]:
    found: dict[str, object] = {}
    for key, value in content.items():
        dotted = f"{above}{key}"
        if isinstance(value, Mapping) and value:
            found |= _flat(value, f"{dotted}.")
        elif isinstance(value, list) and any(isinstance(one, Mapping) for one in value):
            found |= _flat({str(at): one for at, one in enumerate(value)}, f"{dotted}.")
        else:
            found[dotted] = value
    return found


def _place(key: str, config: StudyConfig) -> int:
    """Sections in the order of the configuration; keys of one stay as they come."""
    return list(type(config).model_fields).index(key.partition(".")[0])


def _text(value: object) -> str:
    if value is None:
        return UNSAID
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
