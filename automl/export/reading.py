"""Reads a winner file and trusts nothing in it: every rule it breaks is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from automl._errors import ExportError
from automl.export.winner import FORMAT_VERSION, KIND, Winner, plain_yaml
from evaluators import Metric
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
_Made = TypeVar("_Made")


def read_winner(path: Path) -> Winner:
    """Reads a winner file and checks parameter count, MACs and fingerprint against its own architecture and schema.

    Raises:
        ExportError: the file is missing, not YAML, no winner file, of another format version, has unknown or
            missing keys or a malformed architecture, or contradicts itself.
    """
    content = _load(path)
    _check_kind(path, content)
    _check_keys(path, content, _TOP_KEYS, "the file")
    for section, keys in (("cost", _COST_KEYS), ("provenance", _PROVENANCE_KEYS)):
        _check_keys(path, _mapping(path, content, section), keys, f"{section!r}")
    winner = Winner(
        schema=_made(path, "schema", lambda: FeatureSchema.from_dict(_mapping(path, content, "schema"))),
        architecture=_made(
            path, "architecture", lambda: Architecture.from_dict(_mapping(path, content, "architecture"))
        ),
        training=_made(path, "training", lambda: Options(_mapping(path, content, "training")).to_dict()),
        measured=_made(path, "measured", lambda: _metrics(_mapping(path, content, "measured"))),
        parameters=content["cost"]["parameters"],
        macs=content["cost"]["macs"],
        provenance=content["provenance"],
    )
    _check_cost(path, winner)
    _check_fingerprint(path, winner)
    return winner


def _load(path: Path) -> dict[str, Any]:
    from ruamel.yaml.error import YAMLError

    try:
        if path.stat().st_size > MAX_BYTES:
            raise ExportError(f"a winner file has at most {MAX_BYTES} bytes, but {path} has {path.stat().st_size}")
        content = plain_yaml().load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ExportError(
            f"no winner file at {path}; `automl export STUDY --best --out {path.name}` makes one"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ExportError(f"the winner file {path} cannot be read: {error}") from error
    except (YAMLError, RecursionError, ValueError) as error:
        if isinstance(error, ExportError):
            raise
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        raise ExportError(f"{path}{place}: not YAML ({getattr(error, 'problem', None) or error})") from error
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


def _metrics(content: Mapping[str, Any]) -> dict[str, Metric]:
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
