"""Names content by its sha256: prepared data, and sources before they are prepared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from searchspaces import FeatureSchema

if TYPE_CHECKING:
    from evaluators._datasets.part import Part
    from evaluators._datasets.vocabulary import Vocabulary

CHUNK_BYTES = 1 << 20


def data_digest(parts: Mapping[str, Part], *, schema: FeatureSchema, vocabularies: Sequence[Vocabulary]) -> str:
    """`sha256:` and the digest of arrays, schema and vocabularies: the same data has it wherever it lies."""
    digest = hashlib.sha256(json.dumps(schema.to_dict(), sort_keys=True).encode())
    for name in sorted(parts):
        part = parts[name]
        arrays = {"label": part.label, "numeric": part.numeric, "categorical": part.categorical, "time": part.time}
        for kind, array in arrays.items():
            if array is not None:
                digest.update(f"\n{name}/{kind} {array.dtype.str} {array.shape}\n".encode())
                digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)
    for vocabulary in vocabularies:
        digest.update(f"\nvocabulary {vocabulary.size}\n".encode())
        for value, count in vocabulary.table.iter_rows():
            digest.update(json.dumps([value, count]).encode())
    return f"sha256:{digest.hexdigest()}"


def source_digest(files: Sequence[Path], options: Mapping[str, object]) -> str:
    """Hexadecimal digest of a source's files, by their names and content, and of the options of its preparation."""
    digest = hashlib.sha256(json.dumps(options, sort_keys=True).encode())
    for file in sorted(files):
        digest.update(f"\n{file.name} {file_digest(file)}".encode())
    return digest.hexdigest()


def file_digest(file: Path) -> str:
    """sha256 of a file's bytes, hexadecimal."""
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
