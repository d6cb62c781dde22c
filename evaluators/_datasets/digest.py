"""Names content by its sha256: prepared data, and sources before they are prepared."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from searchspaces import FeatureSchema

if TYPE_CHECKING:
    from evaluators._datasets.stored import Stored
    from evaluators._datasets.vocabulary import Vocabulary

CHUNK_BYTES = 1 << 20


def data_digest(
    parts: Mapping[str, Mapping[str, Stored]], *, schema: FeatureSchema, vocabularies: Iterable[Vocabulary]
) -> str:
    """`sha256:` and the digest of arrays, schema and vocabularies: the same data has it wherever it lies.

    `parts` are the arrays by part and by name (see `stored_part`).
    """
    digest = hashlib.sha256(json.dumps(schema.to_dict(), sort_keys=True).encode())
    for name in sorted(parts):
        for kind in ("label", "numeric", "categorical", "time"):
            if kind in parts[name]:
                array = parts[name][kind]
                digest.update(f"\n{name}/{kind} {array.kind.str} {(array.rows, *array.shape)}\n".encode())
                for block in array.blocks():
                    digest.update(block.reshape(-1).view(np.uint8).data)
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
