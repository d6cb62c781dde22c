"""Encodes data that a finished model shall score, with the ids that the model was trained on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl

from evaluators._datasets import fields_folder, table
from evaluators._datasets.columns import Columns, Origin
from evaluators._datasets.dataset import Dataset, is_prepared, read_dataset
from evaluators._datasets.digest import file_digest
from evaluators._datasets.encode import to_part
from evaluators._datasets.files import open_table, read_frames
from evaluators._datasets.held_out import open_test_part, record_opening
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.part import PART_NAMES, Part, joined
from evaluators._datasets.vocabulary import OUT_OF_VOCABULARY, Vocabulary
from evaluators._errors import DataError
from searchspaces import FeatureSchema

PURPOSE = "scoring"
"""What the record of openings says of the test parts that are opened here."""


def encode_part(
    source: Path,
    part: str,
    *,
    schema: FeatureSchema,
    vocabularies: Sequence[Sequence[str | None]],
    label: str = "label",
) -> Part:
    """One part of another source in given ids, rows in the order of its file.

    `source` is a prepared folder, a folder with `fields.json` (the other parts need not be there), the YAML
    description of a table, or a bare csv or parquet file whose columns have the schema's names; of a table all
    rows are taken, whatever the part. The label column, `label` where the source names none, may be absent: the
    labels are then NaN. A test part with labels opens on record: of prepared data under its digest, of a source
    under `source:` and the sha256 of the file with the rows.

    Raises:
        DataError: the source has not the schema's fields or breaks a rule of its kind, or the record cannot be
            written.
    """
    if part not in PART_NAMES:
        raise DataError(f"a part is one of {', '.join(PART_NAMES)}, but {part!r} was asked for")
    sizes = [len(values) + 1 for values in vocabularies]
    if sizes != [field.vocabulary_size for field in schema.categorical]:
        raise DataError(
            "the vocabularies must be those of the schema, but their sizes differ; take both from one dataset"
        )
    known = [Vocabulary.of(values) for values in vocabularies]
    if is_prepared(source):
        return _recoded(read_dataset(source), part, schema=schema, known=known)
    frames, columns, file = _rows(source, part, schema=schema, label=label)
    parts: list[Part] = []
    for frame in frames:
        if part == "test" and columns.label in frame.columns and not parts:
            record_opening(f"source:{file_digest(file)}", purpose=PURPOSE)
        parts.append(to_part(frame, columns, vocabularies=known))
    return joined(parts) if parts else to_part(_no_rows(columns), columns, vocabularies=known)


def _no_rows(columns: Columns) -> pl.DataFrame:
    return RowReader(columns).read(pl.DataFrame(schema=dict.fromkeys(columns.names, pl.String)), Origin("no rows"))


def _rows(
    source: Path, part: str, *, schema: FeatureSchema, label: str
) -> tuple[Iterator[pl.DataFrame], Columns, Path]:
    """The typed rows, their columns in the schema's order, and the file that they come from."""
    wanted = Columns(
        label=label,
        dense=tuple(field.name for field in schema.numeric),
        categorical=tuple(field.name for field in schema.categorical),
    )
    if fields_folder.is_fields_folder(source):
        frames, found = fields_folder.read_fields_part(source, part)
        return frames, _matching(found, wanted, source=source), fields_folder.part_file(source, part)
    if source.suffix in table.SUFFIXES:
        described = table.read_description(source, label=label)
        matching = _matching(described.columns, wanted, source=source)
        return table.read_rows(described, needs_label=False), matching, described.table
    reader = RowReader(wanted, needs_label=False)
    rows = read_frames(open_table(source), wanted.names, file=source, optional=(label,))
    return (reader.read(frame, origin) for frame, origin in rows), wanted, source


def _matching(found: Columns, wanted: Columns, *, source: Path) -> Columns:
    """The source's columns in the schema's order."""
    for kind, names, there in (
        ("dense", wanted.dense, found.dense),
        ("categorical", wanted.categorical, found.categorical),
    ):
        missing = [name for name in names if name not in there]
        if missing:
            raise DataError(
                f"data to score must have the fields that the model was trained on, but {source} has no {kind} "
                f"column {', '.join(repr(name) for name in missing[:10])} (it has: {', '.join(there[:20]) or 'none'})"
            )
    return replace(wanted, label=found.label, time=found.time)


def _recoded(dataset: Dataset, part: str, *, schema: FeatureSchema, known: Sequence[Vocabulary]) -> Part:
    names = [[field.name for field in fields] for fields in (schema.numeric, schema.categorical)]
    own = [[field.name for field in fields] for fields in (dataset.schema.numeric, dataset.schema.categorical)]
    if names != own:
        raise DataError(
            f"data to score must have the fields that the model was trained on, {names}, but {dataset.folder} has {own}"
        )
    arrays = open_test_part(dataset, purpose=PURPOSE) if part == "test" else dataset.part(part)
    values = dataset.vocabularies()
    if values == [vocabulary.values for vocabulary in known]:
        return arrays
    ids = arrays.categorical.copy()
    for number, (old, new) in enumerate(zip(values, known, strict=True)):
        # Id 0 stays 0: what had no id in that dataset has no value that could be looked up.
        recoded = np.concatenate([[OUT_OF_VOCABULARY], new.ids(pl.Series(old, dtype=pl.String))])
        ids[:, number] = recoded[ids[:, number]]
    return replace(arrays, categorical=ids)
