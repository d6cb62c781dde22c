"""The prepared form by its definition, on tables that fit in memory: what a streamed preparation is compared with."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

import numpy as np
import polars as pl

from evaluators._datasets.columns import Columns
from searchspaces import FeatureSchema, Field, Kind


def digest_of(parts: Mapping[str, pl.DataFrame], columns: Columns, minimum_count: int) -> str:
    """Digest of typed tables in their final order."""
    train = parts["train"]
    values = {name: _ranked(train[name], minimum_count) for name in columns.categorical}
    fields = [_numeric(name, train[name]) for name in columns.dense]
    fields += [Field(name, Kind.CATEGORICAL, vocabulary_size=len(values[name]) + 1) for name in columns.categorical]
    digest = hashlib.sha256(json.dumps(FeatureSchema(tuple(fields)).to_dict(), sort_keys=True).encode())
    for name in sorted(parts):
        for kind, array in _arrays(parts[name], columns, values).items():
            digest.update(f"\n{name}/{kind} {array.dtype.str} {array.shape}\n".encode() + array.tobytes())
    for name in columns.categorical:
        digest.update(f"\nvocabulary {len(values[name]) + 1}\n".encode())
        for value, count in values[name]:
            digest.update(json.dumps([value, count]).encode())
    return f"sha256:{digest.hexdigest()}"


def _ranked(column: pl.Series, minimum_count: int) -> list[tuple[str | None, int]]:
    texts = column.to_list()
    counts = {value: texts.count(value) for value in set(texts)}
    ranked = sorted(counts.items(), key=lambda one: (-one[1], one[0] is None, (one[0] or "").encode()))
    return [(value, count) for value, count in ranked if count >= minimum_count]


def _numeric(name: str, column: pl.Series) -> Field:
    known = column.drop_nulls().to_numpy().astype(np.float64)
    squashed = np.sign(known) * np.log1p(np.abs(known))
    return Field(name, Kind.NUMERIC, mean=float(squashed.mean()), std=float(squashed.std()))


def _arrays(
    part: pl.DataFrame, columns: Columns, values: Mapping[str, list[tuple[str | None, int]]]
) -> dict[str, np.ndarray]:
    ids = {name: {value: number + 1 for number, (value, _) in enumerate(ranked)} for name, ranked in values.items()}
    numeric = [part[name].fill_null(float("nan")).to_numpy() for name in columns.dense]
    categorical = [[ids[name].get(value, 0) for value in part[name].to_list()] for name in columns.categorical]
    arrays = {
        "label": part[columns.label].to_numpy(),
        "numeric": np.array(numeric, np.float32).T,
        "categorical": np.array(categorical, np.int32).T,
    }
    return arrays if columns.time is None else {**arrays, "time": part[columns.time].to_numpy()}
