"""Reads a winner file and trusts nothing in it: every rule it breaks is named."""

from __future__ import annotations

import reprlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from automl._errors import ExportError
from automl.export.winner import FORMAT_VERSION, KIND, Winner
from evaluators import Metric
from evaluators._plain_yaml import NotPlainError, plain_yaml
from evaluators._training.settings import NAMES, TrainingSettings
from searchspaces import Architecture, FeatureSchema, Options, SearchSpaceError, did_you_mean
from searchspaces.cost import cost

MAX_BYTES = 20_000_000

_TOP_KEYS = ("format_version", "kind", "schema", "architecture", "training", "measured", "cost", "provenance")
_COST_KEYS = ("parameters", "macs", "flops", "embedding_bytes")
_PROVENANCE_KEYS = (
    "study",
    "trial",
    "fingerprint",
    "architecture_fingerprint",
    "dataset",
    "data_digest",
    "schema_digest",
    "versions",
    "created",
)
_METRIC_KEYS = frozenset({"value", "stderr"})
_Made = TypeVar("_Made")


def read_winner(path: Path) -> Winner:
    """Reads a winner file and checks parameter count, MACs and fingerprint against its own architecture and schema.

    Raises:
        ExportError: the file is missing, not YAML, no winner file, of another format version, has unknown or
            missing keys or a malformed architecture, or contradicts itself.
    """
    content = load_document(path)
    _check_kind(path, content)
    _check_keys(path, content, _TOP_KEYS, "the file")
    for section, keys in (("cost", _COST_KEYS), ("provenance", _PROVENANCE_KEYS)):
        _check_keys(path, _mapping(path, content, section), keys, f"{section!r}")
    winner = Winner(
        schema=_made(path, "schema", lambda: FeatureSchema.from_dict(_mapping(path, content, "schema"))),
        architecture=_made(
            path, "architecture", lambda: Architecture.from_dict(_mapping(path, content, "architecture"))
        ),
        training=_made(path, "training", lambda: _training(_mapping(path, content, "training"))),
        measured=_made(path, "measured", lambda: _metrics(_mapping(path, content, "measured"))),
        parameters=content["cost"]["parameters"],
        macs=content["cost"]["macs"],
        provenance=content["provenance"],
    )
    _check_cost(path, winner)
    _check_fingerprint(path, winner)
    return winner


def load_document(path: Path) -> dict[str, Any]:
    """The mapping in a winner file or a blend, not checked any further.

    Raises:
        ExportError: the file is missing, too large, or no YAML mapping.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ExportError(f"a winner file has at most {MAX_BYTES} bytes, but {path} has {path.stat().st_size}")
        content = plain_yaml(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportError(
            f"no winner file at {path}; `automl export STUDY --best --out {path.name}` makes one"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"the winner file {path} cannot be read: {error}") from error
    except NotPlainError as error:
        place = f", {error.place}" if error.place else ""
        raise ExportError(f"{path}{place}: not YAML ({error.reason})") from error
    if not isinstance(content, dict):
        raise ExportError(f"a winner file holds a mapping, but {path} holds {type(content).__name__}")
    return content


def _check_kind(path: Path, content: Mapping[str, Any]) -> None:
    if content.get("kind") != KIND:
        raise ExportError(
            f"a winner file has 'kind: {KIND}', but {path} has kind {content.get('kind')!r}; "
            "`automl export` writes winner files"
        )
    if content.get("format_version") != FORMAT_VERSION:
        raise ExportError(
            f"this release reads winner files of format version {FORMAT_VERSION}, but {path} has "
            f"{content.get('format_version')!r}; export the trial again with this release"
        )


def _check_keys(path: Path, content: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    mistakes = [f"unknown key {key!r}; {did_you_mean(str(key), known)}" for key in content if key not in known]
    mistakes += [f"no {key!r}" for key in known if key not in content]
    if mistakes:
        raise ExportError(f"{path}: {where} has {'; '.join(mistakes)}")


def _mapping(path: Path, content: Mapping[str, Any], section: str) -> Mapping[str, Any]:
    found = content[section]
    if not isinstance(found, dict):
        raise ExportError(f"{path}: {section!r} must be a mapping, but is {type(found).__name__}")
    return found


def _made(path: Path, section: str, make: Callable[[], _Made]) -> _Made:
    try:
        return make()
    except (TypeError, ValueError) as error:
        if isinstance(error, ExportError):
            raise
        raise ExportError(f"{path}: {section!r} is malformed: {error}") from error


def _training(content: Mapping[str, Any]) -> dict[str, Any]:
    """Settings that are ours must be right; another evaluator's are its own."""
    settings = Options(content)
    TrainingSettings().overridden({name: value for name, value in settings.items() if name in NAMES})
    return settings.to_dict()


def _metrics(content: Mapping[str, Any]) -> dict[str, Metric]:
    wrong = [name for name, entry in content.items() if not isinstance(entry, dict) or not set(entry) <= _METRIC_KEYS]
    if wrong:
        raise ValueError(
            f"a metric is {{value: ..., stderr: ...}}, but {wrong[0]!r} is {reprlib.repr(content[wrong[0]])}"
        )
    return {name: Metric(**entry) for name, entry in content.items()}


def _check_cost(path: Path, winner: Winner) -> None:
    try:
        found = cost(winner.architecture, winner.model_schema)
    except (SearchSpaceError, TypeError) as error:
        raise ExportError(f"{path}: the architecture does not fit the schema: {error}") from error
    for name, stated, actual in (
        ("parameter", winner.parameters, found.parameters),
        ("MAC", winner.macs, found.macs),
    ):
        if stated != actual:
            raise ExportError(
                f"a winner file's {name} count must be that of its architecture and schema, but {path} states "
                f"{stated!r} and they give {actual}; most likely the architecture or a vocabulary size was edited "
                "by hand, or a block has changed between releases: export the trial again"
            )


def _check_fingerprint(path: Path, winner: Winner) -> None:
    stated = winner.provenance["architecture_fingerprint"]
    if stated != winner.fingerprint:
        raise ExportError(
            f"a winner file's architecture_fingerprint must be that of its architecture, but {path} states {stated!r} "
            f"and it has {winner.fingerprint!r}; most likely it was edited by hand: export the trial again"
        )
