"""The blend file: a YAML list of winners and their weights, whose logits are averaged.

Every member is a winner file and a weights file as `automl train` writes them, named relative to the blend file,
so that a folder can be moved as a whole and each member still predicts alone. The weights' sha256 tells apart the
seeds of one winner, which nothing else in them does.

    format_version: 1
    kind: ctr-automl blend
    rule: mean of logits
    members:
      - {winner: trial-12.yaml, weights: trial-12-seed1.safetensors, sha256: ...}
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from automl._errors import ExportError
from automl._files import write_text
from automl._yaml import to_yaml
from automl.export.reading import load_document, read_winner
from automl.export.weights import Weights, check_weights, read_weights
from automl.export.winner import Winner

FORMAT_VERSION = 1
KIND = "ctr-automl blend"
RULE = "mean of logits"
MOST_MEMBERS = 1000

_TOP_KEYS = frozenset({"format_version", "kind", "rule", "members", "provenance"})
_MEMBER_KEYS = frozenset({"winner", "weights", "sha256"})


@dataclass(frozen=True)
class Blend:
    """Trained models of one schema and one preparation, to be averaged."""

    members: tuple[tuple[Winner, Weights], ...]


def write_blend(path: Path, members: Sequence[tuple[Path, Path]], *, provenance: Mapping[str, Any]) -> Path:
    """Writes a blend of (winner file, weights file), all of them in the blend's folder or below it.

    Raises:
        ExportError: a file lies elsewhere or cannot be read, or the blend cannot be written.
    """
    entries = [
        {"winner": _relative(path, winner), "weights": _relative(path, weights), "sha256": _sha256(weights)}
        for winner, weights in members
    ]
    document = {"format_version": FORMAT_VERSION, "kind": KIND, "rule": RULE, "members": entries}
    write_text(path, to_yaml({**document, "provenance": dict(provenance)}))
    return path


def is_blend(path: Path) -> bool:
    """Whether the file says that it is a blend.

    Raises:
        ExportError: it is missing, or no YAML mapping.
    """
    return load_document(path).get("kind") == KIND


def read_blend(path: Path) -> Blend:
    """Reads a blend with all its members.

    Raises:
        ExportError: the file breaks a rule of its format, or a member is missing, not what it was, or of another
            schema or preparation than the first.
    """
    entries = _entries(path, load_document(path))
    members = tuple(_member(path, entry) for entry in entries)
    first_winner, first_weights = members[0]
    for (winner, weights), entry in zip(members, entries, strict=True):
        check_weights(winner, weights)
        one = (winner.schema.digest, weights.data_digest)
        other = (first_winner.schema.digest, first_weights.data_digest)
        if one != other:
            raise ExportError(
                f"members of a blend read the same prepared data {other}, but {entry['weights']} reads {one}; "
                "blend models of one study"
            )
    return Blend(members)


def _entries(path: Path, content: Mapping[str, Any]) -> list[dict[str, str]]:
    told = {key: content.get(key) for key in ("kind", "format_version", "rule")}
    if told != {"kind": KIND, "format_version": FORMAT_VERSION, "rule": RULE} or not set(content) <= _TOP_KEYS:
        raise ExportError(
            f"this release reads blends of kind {KIND!r}, format version {FORMAT_VERSION} and rule {RULE!r} with the "
            f"keys {', '.join(sorted(_TOP_KEYS))}, but {path} has {told} and the keys {', '.join(map(str, content))}; "
            "write it again with `automl finals --blend`"
        )
    members = content.get("members")
    is_list = isinstance(members, list) and 0 < len(members) <= MOST_MEMBERS
    if not is_list or not all(_is_entry(one) for one in members or ()):
        raise ExportError(
            f"a blend lists 1 to {MOST_MEMBERS} members, each with {', '.join(sorted(_MEMBER_KEYS))} as texts, but "
            f"{path} does not; write it again with `automl finals --blend`"
        )
    return list(members or ())


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict) and set(entry) == _MEMBER_KEYS and all(isinstance(one, str) for one in entry.values())
    )


def _member(path: Path, entry: Mapping[str, str]) -> tuple[Winner, Weights]:
    winner, weights = (_inside(path, entry[key]) for key in ("winner", "weights"))
    member = read_winner(winner), read_weights(weights)
    found = _sha256(weights)
    if found != entry["sha256"]:
        raise ExportError(
            f"{path} was made with weights of sha256 {entry['sha256']}, but {entry['weights']} has {found}; "
            "put the file back, or write the blend again with `automl finals --blend`"
        )
    return member


def _inside(path: Path, name: str) -> Path:
    """A blend comes from anywhere: it may name files below its own folder, and no others."""
    pure = PurePosixPath(name)
    if pure.is_absolute() or ".." in pure.parts or not pure.parts:
        raise ExportError(f"a blend names files of its own folder, but {path} names {name!r}; keep them together")
    return path.parent / pure


def _relative(path: Path, file: Path) -> str:
    try:
        return file.resolve().relative_to(path.parent.resolve()).as_posix()
    except ValueError:
        raise ExportError(
            f"a blend names files of its own folder, but {file} is not in {path.parent}; write the blend beside them"
        ) from None


def _sha256(path: Path) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ExportError(f"the weights {path} cannot be read ({error.strerror}); check the path") from error
