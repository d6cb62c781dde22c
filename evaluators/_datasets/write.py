"""Writes the prepared form: whole or not at all."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from polars.exceptions import PolarsError

from evaluators._datasets.dataset import SCHEMA_FILE, Dataset, Facts, is_prepared, read_dataset, to_content
from evaluators._datasets.digest import data_digest
from evaluators._datasets.part import Part, PartWriter, stored_part
from evaluators._datasets.stored import Stored
from evaluators._datasets.vocabulary import Vocabulary
from evaluators._errors import DataError
from searchspaces import FeatureSchema

Arrays = Mapping[str, Mapping[str, Stored]]


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
    sizes = [field.vocabulary_size for field in schema.categorical]
    found = [vocabulary.size for vocabulary in vocabularies]
    if sizes != found:
        raise DataError(
            f"each categorical field needs a vocabulary of its size, but the schema says {sizes} "
            f"and the vocabularies have {found}"
        )

    def fill(new: Path) -> FeatureSchema:
        for name, part in parts.items():
            _write_part(new / name, part)
        (new / "vocabulary").mkdir()
        for number, vocabulary in enumerate(vocabularies):
            vocabulary.write(new / "vocabulary" / f"{number:03}.parquet")
        return schema

    return write_folder(folder, fill, facts=facts)


def write_folder(folder: Path, fill: Callable[[Path], FeatureSchema], *, facts: Facts) -> Dataset:
    """Lets `fill` write arrays and vocabularies beside `folder`, checks them and puts them in its place.

    A folder that already holds this very data is left as it is; on any failure nothing that was written stays.

    Raises:
        DataError: what was written breaks a rule, the folder holds something else, or it cannot be written.
    """
    if not is_prepared(folder):
        _refuse_occupied(folder)
    made = [parent for parent in (folder.parent, *folder.parent.parents) if not parent.exists()]
    new: Path | None = None
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        new = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
        dataset = _finished(new, folder, schema=fill(new), facts=facts)
        _replace(new, dataset)
        return read_dataset(folder)
    except (OSError, PolarsError) as error:
        raise DataError(
            f"prepared data needs a folder that can be written, but {folder} cannot be ({error}); "
            "name another folder, or set AUTOML_HOME for the cache"
        ) from error
    finally:
        if new is not None:
            shutil.rmtree(new, ignore_errors=True)
        _remove_empty(made)


def check_labels(name: str, rows: int, clicks: int, *, facts: Facts) -> None:
    """Refuses a part without rows, and one to train or validate on that has labels of one class only.

    Raises:
        DataError: names the part.
    """
    if not rows:
        raise DataError(f"each part of {facts.name} needs rows, but {name} has none; move the split or give it data")
    if name != "test" and clicks in (0, rows):
        raise DataError(
            f"the parts train and valid need labels of both classes, but {name} has only {min(clicks, 1)} "
            f"in its {rows} rows; move the split or check the label column {facts.label!r} of {facts.name}"
        )


def _finished(new: Path, folder: Path, *, schema: FeatureSchema, facts: Facts) -> Dataset:
    """Checks what was written into `new` and adds its schema file; the dataset is the one that `folder` will be."""
    names = [name for name in ("train", "valid", "test") if (new / name).is_dir()]
    for name in ("train", "valid"):
        if name not in names:
            raise DataError(f"a dataset needs the parts train and valid, but {name} is missing")
    arrays = {name: stored_part(new, name) for name in names}
    clicks = {name: _clicks(part["label"]) for name, part in arrays.items()}
    for name, part in arrays.items():
        check_labels(name, part["label"].rows, clicks[name], facts=facts)
        _check_shapes(name, part, schema=schema)
    files = [new / "vocabulary" / f"{number:03}.parquet" for number in range(len(schema.categorical))]
    dataset = Dataset(
        folder=folder,
        schema=schema,
        facts=facts,
        digest=data_digest(arrays, schema=schema, vocabularies=(Vocabulary.read(file) for file in files)),
        rows={name: part["label"].rows for name, part in arrays.items()},
        base_rate={name: clicks[name] / part["label"].rows for name, part in arrays.items()},
    )
    text = json.dumps(to_content(dataset), indent=1, ensure_ascii=False)
    (new / SCHEMA_FILE).write_text(text + "\n", encoding="utf-8")
    return dataset


def _write_part(folder: Path, part: Part) -> None:
    numeric, categorical = part.numeric.shape[1], part.categorical.shape[1]
    writer = PartWriter(folder, len(part), numeric=numeric, categorical=categorical, has_time=part.time is not None)
    try:
        arrays = {"label": part.label, "numeric": part.numeric, "categorical": part.categorical}
        writer.append(arrays if part.time is None else {**arrays, "time": part.time})
    finally:
        writer.close()


def _clicks(label: Stored) -> int:
    return sum(int(np.count_nonzero(block)) for block in label.blocks())


def _check_shapes(name: str, part: Mapping[str, Stored], *, schema: FeatureSchema) -> None:
    shapes = tuple((part[kind].rows, *part[kind].shape) for kind in ("numeric", "categorical"))
    rows = part["label"].rows
    expected = ((rows, len(schema.numeric)), (rows, len(schema.categorical)))
    if shapes != expected:
        raise DataError(f"the arrays of {name} must have the shapes {expected} of the schema, but have {shapes}")


def _replace(new: Path, dataset: Dataset) -> None:
    folder = dataset.folder
    if _holds(folder, dataset.digest):
        return
    _refuse_occupied(folder)
    new.chmod(0o755)  # mkdtemp leaves it to the owner alone, which a shared folder must not inherit
    try:
        new.replace(folder)
    except OSError:
        if not _holds(folder, dataset.digest):  # else another process has just prepared the same
            raise


def _holds(folder: Path, digest: str) -> bool:
    return is_prepared(folder) and read_dataset(folder).digest == digest


def _refuse_occupied(folder: Path) -> None:
    if folder.is_file() or (folder.is_dir() and any(folder.iterdir())):
        raise DataError(
            f"prepared data goes into a new or empty folder, but {folder} holds something else; "
            "remove it or name another folder"
        )


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        try:
            folder.rmdir()
        except OSError:
            return
