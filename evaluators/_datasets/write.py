"""Writes the prepared form: whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from evaluators._datasets.dataset import SCHEMA_FILE, Dataset, Facts, is_prepared, read_dataset, to_content
from evaluators._datasets.digest import data_digest
from evaluators._datasets.part import Part, write_part
from evaluators._datasets.vocabulary import Vocabulary
from evaluators._errors import DataError
from searchspaces import FeatureSchema


def write_prepared(
    folder: Path,
    parts: Mapping[str, Part],
    *,
    schema: FeatureSchema,
    vocabularies: Sequence[Vocabulary],
    facts: Facts,
) -> Dataset:
    """Writes `parts` (train, valid and, where there is one, test) as a prepared folder, atomically.

    A folder that already holds this very data is left as it is.

    Raises:
        DataError: a part is empty, train or valid has labels of one class only, arrays contradict the
            schema, the folder holds something else, or it cannot be written.
    """
    _check(parts, schema, vocabularies=vocabularies, facts=facts)
    dataset = Dataset(
        folder=folder,
        schema=schema,
        facts=facts,
        digest=data_digest(parts, schema=schema, vocabularies=vocabularies),
        rows={name: len(part) for name, part in parts.items()},
        base_rate={name: float(np.mean(part.label, dtype=np.float64)) for name, part in parts.items()},
    )
    if _holds(folder, dataset.digest):
        return read_dataset(folder)
    try:
        with _replacing(folder) as new:
            _write(new, dataset, parts=parts, vocabularies=vocabularies)
    except DataError:
        if not _holds(folder, dataset.digest):  # else another process has just prepared the same
            raise
    return read_dataset(folder)


def _write(new: Path, dataset: Dataset, *, parts: Mapping[str, Part], vocabularies: Sequence[Vocabulary]) -> None:
    for name, part in parts.items():
        write_part(new / name, part)
    (new / "vocabulary").mkdir()
    for file, vocabulary in zip(dataset.vocabulary_files, vocabularies, strict=True):
        vocabulary.write(new / "vocabulary" / file.name)
    text = json.dumps(to_content(dataset), indent=1, ensure_ascii=False)
    (new / SCHEMA_FILE).write_text(text + "\n", encoding="utf-8")


def _check(
    parts: Mapping[str, Part], schema: FeatureSchema, *, vocabularies: Sequence[Vocabulary], facts: Facts
) -> None:
    for name in ("train", "valid"):
        if name not in parts:
            raise DataError(f"a dataset needs the parts train and valid, but {name} is missing")
    for name, part in parts.items():
        _check_part(name, part, schema=schema, facts=facts)
    sizes = [field.vocabulary_size for field in schema.categorical]
    found = [vocabulary.size for vocabulary in vocabularies]
    if sizes != found:
        raise DataError(
            f"each categorical field needs a vocabulary of its size, but the schema says {sizes} "
            f"and the vocabularies have {found}"
        )


def _check_part(name: str, part: Part, *, schema: FeatureSchema, facts: Facts) -> None:
    if not len(part):
        raise DataError(f"each part of {facts.name} needs rows, but {name} has none; move the split or give it data")
    if name != "test" and part.label.min() == part.label.max():
        raise DataError(
            f"the parts train and valid need labels of both classes, but {name} has only {part.label[0]:g} "
            f"in its {len(part)} rows; move the split or check the label column {facts.label!r} of {facts.name}"
        )
    shapes = (part.numeric.shape, part.categorical.shape)
    expected = ((len(part), len(schema.numeric)), (len(part), len(schema.categorical)))
    if shapes != expected:
        raise DataError(f"the arrays of {name} must have the shapes {expected} of the schema, but have {shapes}")


def _holds(folder: Path, digest: str) -> bool:
    return is_prepared(folder) and read_dataset(folder).digest == digest


@contextmanager
def _replacing(folder: Path) -> Iterator[Path]:
    """A new sibling folder that takes the place of `folder` at the end; on any failure nothing of it stays."""
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise DataError(
            f"prepared data goes into a new or empty folder, but {folder} holds something else; "
            "remove it or name another folder"
        )
    new: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        yield new
        new.chmod(0o755)  # mkdtemp leaves it to the owner alone, which a shared folder must not inherit
        new.replace(folder)
    except OSError as error:
        raise DataError(
            f"prepared data needs a folder that can be written, but {folder} cannot be ({error}); "
            "name another folder, or set AUTOML_HOME for the cache"
        ) from error
    finally:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
