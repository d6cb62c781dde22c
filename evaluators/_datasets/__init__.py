"""Data for training: prepared arrays, the sources they are made from, and the guarded test part.

Importing this is light; polars comes in when something is prepared or a vocabulary is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluators._datasets.dataset import Dataset, Facts, is_prepared, read_dataset
from evaluators._datasets.described import NO_DATA
from evaluators._datasets.held_out import openings
from evaluators._datasets.home import home
from evaluators._datasets.opening import open_dataset
from evaluators._datasets.part import Part, read_rows

if TYPE_CHECKING:
    from evaluators._datasets.vocabulary import Vocabulary
    from searchspaces import FeatureSchema

__all__ = [
    "NO_DATA",
    "RECIPE_NAMES",
    "Dataset",
    "Facts",
    "Part",
    "encode_part",
    "home",
    "is_prepared",
    "open_dataset",
    "prepare",
    "read_dataset",
    "read_rows",
    "openings",
    "write_prepared",
]

RECIPE_NAMES = ("movielens-100k", "synthetic", "criteo", "avazu", "kdd12")


def prepare(
    source: str | Path,
    *,
    out: Path | None = None,
    minimum_count: int | None = None,
    seed: int = 0,
    copy: Path | None = None,
    options: Mapping[str, int | str] | None = None,
) -> Dataset:
    """Prepares a recipe, a folder or a described table (see `evaluators._datasets.preparation`).

    Raises:
        DataError: the source breaks a rule, or the result cannot be written.
    """
    from evaluators._datasets.preparation import prepare as prepare_source

    return prepare_source(source, out=out, minimum_count=minimum_count, seed=seed, copy=copy, options=options)


def encode_part(
    source: Path,
    part: str,
    *,
    schema: FeatureSchema,
    vocabularies: Sequence[Sequence[str | None]],
    label: str = "label",
) -> Part:
    """One part of another source in given ids, for a finished model to score (see `evaluators._datasets.other_data`).

    A source without a label column will do; its labels are NaN.

    Raises:
        DataError: the source has not the schema's fields, or breaks a rule of its kind.
    """
    from evaluators._datasets.other_data import encode_part as encode

    return encode(source, part, schema=schema, vocabularies=vocabularies, label=label)


def write_prepared(
    folder: Path,
    parts: Mapping[str, Part],
    *,
    schema: FeatureSchema,
    vocabularies: Sequence[Vocabulary],
    facts: Facts,
) -> Dataset:
    """Writes arrays as a prepared folder, whole or not at all (see `evaluators._datasets.write`).

    Raises:
        DataError: the arrays break a rule, or the folder cannot be written.
    """
    from evaluators._datasets.write import write_prepared as write

    return write(folder, parts, schema=schema, vocabularies=vocabularies, facts=facts)
