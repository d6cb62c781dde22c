"""From typed tables to arrays: fits on the training part, then encodes every part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from evaluators._datasets.columns import Columns, Source
from evaluators._datasets.numeric import numeric_field
from evaluators._datasets.part import Part
from evaluators._datasets.vocabulary import Vocabulary
from evaluators._errors import DataError
from searchspaces import FeatureSchema, Field, Kind


def fit(source: Source) -> tuple[FeatureSchema, list[Vocabulary]]:
    """Schema and vocabularies, from the training part alone.

    Raises:
        DataError: there is no training part.
    """
    if "train" not in source.parts:
        raise DataError(f"a dataset needs a part to fit on, but {source.facts.name!r} has no train part")
    train, columns = source.parts["train"], source.columns
    vocabularies = [Vocabulary.fit(train[name], source.facts.minimum_count) for name in columns.categorical]
    numeric = [numeric_field(name, train[name].fill_null(float("nan")).to_numpy()) for name in columns.dense]
    categorical = [
        Field(name, Kind.CATEGORICAL, vocabulary_size=vocabulary.size)
        for name, vocabulary in zip(columns.categorical, vocabularies, strict=True)
    ]
    return FeatureSchema((*numeric, *categorical)), vocabularies


def in_time_order(frame: pl.DataFrame, columns: Columns) -> pl.DataFrame:
    """Rows by time; rows of one time keep their order. Without a time column, as they are."""
    return frame if columns.time is None else frame.sort(columns.time, maintain_order=True)


def to_part(frame: pl.DataFrame, columns: Columns, *, vocabularies: Sequence[Vocabulary]) -> Part:
    """The arrays of one typed table, row by row as it stands; one column at a time, so that the peak is one copy.

    The labels of a table without them (see `typed`) are NaN.
    """
    rows = frame.height
    numeric = np.empty((rows, len(columns.dense)), np.float32)
    for number, name in enumerate(columns.dense):
        numeric[:, number] = frame[name].fill_null(float("nan")).to_numpy()
    categorical = np.empty((rows, len(columns.categorical)), np.int32)
    for number, (name, vocabulary) in enumerate(zip(columns.categorical, vocabularies, strict=True)):
        categorical[:, number] = vocabulary.ids(frame[name])
    time = None if columns.time is None else frame[columns.time].to_numpy()
    has_label = columns.label in frame.columns
    label = frame[columns.label].to_numpy() if has_label else np.full(rows, np.nan, np.float32)
    return Part(label, numeric, categorical, time)
