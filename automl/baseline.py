"""The user's own model as a baseline: read from a winner file or a bare model, checked against the data.

A bare model is YAML or JSON of the form of the zoo's files; `training`, `system` and `paper` may be left out:

    architecture:
      version: 1
      nodes:                                    # in order: inputs are numbers of earlier nodes, the last is the output
        - {block: numeric}                      # a node without inputs is a source
        - {block: full, options: {dim: 16}}
        - {block: mlp, inputs: [0, 1], options: {width: 256}}
        - {block: logit, inputs: [2]}
    training: {learning_rate: 0.002}            # where it differs from the evaluator's settings

The content of `architecture` alone is a model as well.
"""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from automl import plugins
from automl._errors import ConfigError
from automl._yaml import parse_yaml
from automl.config import StudyConfig
from automl.export import read_winner
from automl.export.winner import KIND
from evaluators import EvaluatorError
from evaluators._training.settings import NAMES, TrainingSettings
from searchspaces import Architecture, Candidate, FeatureSchema, Options, SearchSpaceError, did_you_mean
from searchspaces.cost import shapes

MAX_BYTES = 20_000_000
KEYS = ("architecture", "training", "system")
_BARE = ("version", "nodes")


def own_baseline(config: StudyConfig, schema: FeatureSchema) -> Candidate | None:
    """The candidate of the configuration's `baseline:`; None where it has none.

    Of its training settings those are kept that differ from what the study trains with anyway: a model that
    is trained like every candidate is the same candidate.

    Raises:
        ConfigError: the file cannot be read, is no model, or does not fit the data; with every mistake found.
        ExportError: a winner file contradicts itself.
    """
    if config.baseline is None:
        return None
    if isinstance(config.baseline, str):
        source, candidate = config.baseline, _read(Path(config.baseline), schema)
    else:
        source, candidate = "baseline", _bare("baseline", config.baseline)
    wrong = [*_misfits(candidate, schema), *_setting_mistakes(candidate.training, config)]
    if wrong:
        raise ConfigError(source, wrong)
    return Candidate(candidate.architecture, _own_settings(candidate.training, config), candidate.system)


def as_section(model: str | Path | Candidate | Architecture | Mapping[str, Any] | None) -> str | dict[str, Any] | None:
    """What `create_study(baseline=...)` takes, as the configuration holds it."""
    if isinstance(model, Architecture):
        return Candidate(model).to_dict()
    if isinstance(model, Candidate):
        return model.to_dict()
    return dict(model) if isinstance(model, Mapping) else str(model) if isinstance(model, Path) else model


def _read(path: Path, schema: FeatureSchema) -> Candidate:
    content, _ = parse_yaml(_text(path), str(path))
    if content.get("kind") != KIND:
        return _bare(str(path), content)
    winner = read_winner(path)
    wrong = _foreign_fields(winner.schema, schema)
    if wrong:
        raise ConfigError(str(path), wrong)
    return winner.candidate


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(str(path), [f"a model has at most {MAX_BYTES} bytes, but this has {path.stat().st_size}"])
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        way_out = "name a winner file (`automl export` writes one) or a model's architecture and training"
        raise ConfigError(str(path), [f"the file of the baseline is not there; {way_out}"]) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(str(path), [f"the baseline cannot be read: {error}"]) from error


def _bare(source: str, content: Mapping[str, Any]) -> Candidate:
    if "architecture" not in content and "nodes" in content:
        content = {"architecture": {key: content[key] for key in content if key in _BARE}} | {
            key: content[key] for key in content if key not in _BARE
        }
    known = (*KEYS, "paper")
    wrong = [f"{key}: unknown key of a model; {did_you_mean(str(key), known)}" for key in content if key not in known]
    wrong += [
        f"{key}: must be a mapping, but is {type(content[key]).__name__}"
        for key in KEYS
        if content.get(key) is not None and not isinstance(content[key], Mapping)
    ]
    if not content.get("architecture"):
        wrong.append("architecture: is required (version, nodes), as in the files that `automl export` writes")
    if wrong:
        raise ConfigError(source, wrong)
    try:
        return Candidate.from_dict(content)
    except SearchSpaceError as error:
        raise ConfigError(source, [str(error)]) from error


def _foreign_fields(own: FeatureSchema, data: FeatureSchema) -> list[str]:
    """Fields that a winner was made for and the data lacks or has as another kind; new ones are no mistake."""
    kinds = {field.name: field.kind.value for field in data.fields}
    wrong = []
    for field in own.fields:
        if field.name not in kinds:
            wrong.append(
                f"the model reads the field {field.name!r}, but the data has none; "
                f"{did_you_mean(field.name, tuple(kinds))}"
            )
        elif kinds[field.name] != field.kind.value:
            wrong.append(
                f"the model reads {field.name!r} as {field.kind.value}, but in the data it is {kinds[field.name]}"
            )
    way_out = "to measure the same blocks on the data's own fields, keep the file's 'architecture' alone"
    return [*wrong[:-1], *(f"{one}; {way_out}" for one in wrong[-1:])]


def _misfits(candidate: Candidate, schema: FeatureSchema) -> list[str]:
    if candidate.architecture is None:
        return ["architecture: is required (version, nodes); a baseline without one cannot be trained"]
    try:
        shapes(candidate.architecture, schema)
    except SearchSpaceError as error:
        return [f"architecture: {error}"]
    return []


def _setting_mistakes(training: Options, config: StudyConfig) -> list[str]:
    """Told only where the evaluator trains with our settings: another one's are its own."""
    evaluator = plugins.load("evaluator", config.training_section()["name"])
    if not set(NAMES) & set(inspect.signature(evaluator).parameters):
        return []
    try:
        TrainingSettings().overridden(training)
    except EvaluatorError as error:
        return [f"training: {error}"]
    return []


def _own_settings(training: Options, config: StudyConfig) -> Options:
    options = plugins.options("evaluator", config.training_section())
    usual = asdict(TrainingSettings(**{name: value for name, value in options.items() if name in NAMES}))
    return Options({name: value for name, value in training.items() if name not in usual or usual[name] != value})
