"""Prepared rows as the columns that trees split on.

Letters: n rows, y label, c id of a categorical field.

Numbers stay as they are, missing ones too: trees know an order alone and send missing values to the better side. A
field of few values is a category. One of many values would let a tree of categories learn the rows by heart, so it
becomes numbers instead: the id itself, ranked by frequency, or the id's frequency and its click rate

    (a q + sum of y over earlier rows with c) / (a + number of earlier rows with c),   q the mean label, a = 10,

where a training row sees the rows before it alone, never its own label (Prokhorenkova et al. 2018, CatBoost: unbiased
boosting with categorical features), and a row to predict sees all training rows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluators._datasets import Part
from evaluators._trees.settings import TreeSettings
from searchspaces import FeatureSchema

PRIOR_ROWS = 10.0
"""Rows that the mean label counts for in the click rate of an id."""

NATIVE = "native"
"""The coding of a field that stays a category."""

Matrix = NDArray[np.float32]
Vector = NDArray[np.float64]
Ids = NDArray[np.int32]
Column = NDArray[Any]
"""Of whatever numbers: all become single precision in the end."""


@dataclass(frozen=True, eq=False)
class Columns:
    """Columns of the training rows and of the rows to predict, both [rows, columns], and which are categories."""

    train: Matrix
    valid: Matrix
    categories: tuple[int, ...]


def columns_of(train: Part, valid: Part, schema: FeatureSchema, settings: TreeSettings) -> Columns:
    """The columns of two parts; statistics of ids are those of the training rows, in their order."""
    known: list[Column] = [*train.numeric.T]
    categories: list[int] = []
    for at, coding in enumerate(_codings(schema, settings)):
        if coding == NATIVE:
            categories.append(len(known))
        known += _training_columns(train.categorical[:, at], train.label, coding)
    return Columns(_stacked(known), later_columns(train, valid, schema, settings), tuple(categories))


def later_columns(train: Part, later: Part, schema: FeatureSchema, settings: TreeSettings) -> Matrix:
    """The columns of rows to predict, [rows, columns], by the statistics of the training rows alone.

    Nothing of the later rows but their own values is looked at; the order of the training rows does not matter.
    """
    columns: list[Column] = [*later.numeric.T]
    for at, coding in enumerate(_codings(schema, settings)):
        columns += _later_columns(train.categorical[:, at], later.categorical[:, at], train.label, coding)
    return _stacked(columns)


def earlier_rates(ids: Ids, labels: NDArray[np.float32]) -> Vector:
    """Click rate of each row's id on the rows before it, [n].

    >>> earlier_rates(np.array([1, 1, 2, 1], np.int32), np.array([1, 0, 0, 1], np.float32)).round(4).tolist()
    [0.5, 0.5455, 0.5, 0.5]
    """
    order = np.argsort(ids, kind="stable")
    grouped = labels[order].astype(np.float64)
    starts = np.flatnonzero(np.r_[True, np.diff(ids[order]) != 0])
    sizes = np.diff(np.r_[starts, len(ids)])
    before = np.cumsum(grouped) - grouped
    clicks = before - np.repeat(before[starts], sizes)
    rows = np.arange(len(ids)) - np.repeat(starts, sizes)
    found = np.empty(len(ids))
    found[order] = _rates(clicks, rows, float(labels.mean()))
    return found


def _codings(schema: FeatureSchema, settings: TreeSettings) -> Iterator[str]:
    """How each categorical field becomes columns."""
    for field in schema.categorical:
        yield NATIVE if field.vocabulary_size <= settings.native_up_to else settings.large_fields


def _training_columns(ids: Ids, labels: NDArray[np.float32], coding: str) -> Iterator[Column]:
    if coding != "statistics":
        yield ids
    if coding in ("statistics", "both"):
        yield np.log1p(np.bincount(ids)[ids])
        yield earlier_rates(ids, labels)


def _later_columns(train: Ids, later: Ids, labels: NDArray[np.float32], coding: str) -> Iterator[Column]:
    if coding != "statistics":
        yield later
    if coding in ("statistics", "both"):
        size = int(max(train.max(initial=0), later.max(initial=0))) + 1
        counts = np.bincount(train, minlength=size)
        yield np.log1p(counts[later])
        yield _rates(np.bincount(train, weights=labels, minlength=size), counts, float(labels.mean()))[later]


def _rates(clicks: Column, rows: Column, mean: float) -> Vector:
    found: Vector = (PRIOR_ROWS * mean + clicks) / (PRIOR_ROWS + rows)
    return found


def _stacked(columns: list[Column]) -> Matrix:
    return np.stack([one.astype(np.float32) for one in columns], axis=1)
