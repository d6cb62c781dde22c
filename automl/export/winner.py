"""The winner file: one YAML document from which a model can be rebuilt, trained and checked anywhere."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from automl._errors import ExportError
from automl._files import write_text
from automl._versions import versions
from evaluators import Metric, Trial
from searchspaces import Architecture, Candidate, FeatureSchema, Options, canonical
from searchspaces.cost import cost
from storage import StudyRecord

FORMAT_VERSION = 1
KIND = "ctr-automl winner"

_FIDELITY = ("rows", "hash_cap")


@dataclass(frozen=True)
class Winner:
    """What a winner file says. `training` holds the settings to train with, `measured` the trial's metrics."""

    schema: FeatureSchema
    architecture: Architecture
    training: Mapping[str, Any]
    measured: Mapping[str, Metric]
    parameters: int
    macs: int
    provenance: Mapping[str, Any]

    @property
    def fingerprint(self) -> str:
        """Identity of the model to build: digest of the architecture's live graph."""
        return Candidate(self.architecture).fingerprint

    @property
    def model_schema(self) -> FeatureSchema:
        """What the model is built for: the schema, its vocabularies capped where the candidate itself asks for it."""
        hash_cap: int | None = self.training.get("hash_cap")
        return self.schema.capped(hash_cap)

    @property
    def candidate(self) -> Candidate:
        """What to train, the settings with it."""
        return Candidate(self.architecture, Options(self.training))

    @property
    def data_digest(self) -> str:
        """Digest of the prepared data that the trial was measured on."""
        return str(self.provenance["data_digest"])


def winner_document(
    record: StudyRecord,
    trial: Trial,
    *,
    dataset: Mapping[str, Any],
    schema: FeatureSchema,
    training: Mapping[str, Any],
    created: datetime,
) -> dict[str, Any]:
    """The content of a trial's winner file, JSON types only.

    `dataset` names the prepared data (`name` and `digest`), `schema` is its uncapped schema. `training` holds the
    evaluator's settings, of which rows and hash cap are the fidelity of the search and stay out; the
    candidate's own settings override these. The provenance has two fingerprints: `fingerprint` is the trial's,
    its own settings included, as the study knows it; `architecture_fingerprint` is of the architecture alone,
    so that a reader can check it against the file.

    Raises:
        ExportError: the trial has no architecture, or `dataset` lacks its name or digest.
        ArchitectureError: the architecture does not fit the schema.
    """
    architecture = trial.candidate.architecture
    if architecture is None:
        raise ExportError(f"only an architecture can be exported, but trial {trial.number} has none; choose another")
    for key in ("name", "digest"):
        if not dataset.get(key):
            raise ExportError(f"a winner file names its data, but the dataset's {key} is missing")
    measured = trial.evaluation.metrics if trial.evaluation else {}
    settings = {name: value for name, value in training.items() if name not in _FIDELITY}
    settings |= trial.candidate.training.to_dict()
    return {
        "format_version": FORMAT_VERSION,
        "kind": KIND,
        "schema": schema.to_dict(),
        "architecture": canonical(architecture).to_dict(),
        "training": settings,
        "measured": {name: {"value": one.value, "stderr": one.stderr} for name, one in sorted(measured.items())},
        "cost": _cost_section(architecture, schema.capped(settings.get("hash_cap"))),
        "provenance": {
            "study": {"name": record.name, "uid": record.uid, "seed": record.seed},
            "trial": trial.number,
            "fingerprint": trial.candidate.fingerprint,
            "architecture_fingerprint": Candidate(architecture).fingerprint,
            "dataset": str(dataset["name"]),
            "data_digest": str(dataset["digest"]),
            "schema_digest": schema.digest,
            "versions": versions(("ctr-automl", "torch")),
            "created": created.astimezone(UTC).isoformat(timespec="seconds"),
        },
    }


def write_winner(path: Path, document: Mapping[str, Any]) -> Path:
    """Writes a winner file whole or not at all: fields and nodes one per line.

    Raises:
        ExportError: the file cannot be written.
    """
    content = {
        **document,
        "schema": {"fields": [_Line(field) for field in document["schema"]["fields"]]},
        "architecture": {**document["architecture"], "nodes": [_Line(node) for node in _nodes(document)]},
        "measured": {name: _Line(metric) for name, metric in document["measured"].items()},
    }
    stream = io.StringIO()
    _writer().dump(content, stream)
    write_text(path, stream.getvalue())
    return path


class _Line(dict[str, Any]):
    """A mapping that is written on one line."""


def _nodes(document: Mapping[str, Any]) -> list[dict[str, Any]]:
    nodes: list[dict[str, Any]] = document["architecture"]["nodes"]
    return nodes


def _writer() -> Any:
    """Writes YAML 1.2 of plain types; ruamel.yaml's annotations do not cover its representers."""
    from ruamel.yaml import YAML
    from ruamel.yaml.representer import SafeRepresenter

    class Representer(SafeRepresenter):
        """Our own, because a representer is added to the class and would change every other YAML text."""

    Representer.add_representer(
        _Line, lambda self, line: self.represent_mapping("tag:yaml.org,2002:map", line, flow_style=True)
    )
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = Representer
    yaml.default_flow_style = False
    yaml.width = 4096
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]  # annotated as None alone
    return yaml


def _cost_section(architecture: Architecture, schema: FeatureSchema) -> dict[str, int]:
    found = cost(architecture, schema)
    return {
        "parameters": found.parameters,
        "macs": found.macs,
        "flops": found.flops,
        "embedding_bytes": found.embedding_bytes,
    }
