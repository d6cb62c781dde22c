"""From typed chunks to arrays on disk: divides the rows, fits on the training part, then encodes every part.

What stays in memory does not grow with the rows: one chunk, the partial counts of one field, one field's
vocabulary (see `intake`, `counting`, `ordering`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._datasets.columns import Columns
from evaluators._datasets.counting import Counter
from evaluators._datasets.intake import Intake
from evaluators._datasets.numeric import Moments
from evaluators._datasets.ordering import in_time_order
from evaluators._datasets.part import PART_NAMES, Part, PartWriter, stored_part
from evaluators._datasets.source import Source
from evaluators._datasets.split import Given, divide
from evaluators._datasets.stored import Appended, Stored
from evaluators._datasets.vocabulary import Vocabulary
from evaluators._datasets.write import check_labels
from evaluators._errors import DataError
from searchspaces import FeatureSchema, Field, Kind

FIT_ROWS = 1 << 20
"""Rows of the training part whose moments are taken at once: part of the definition of a field's mean."""

FIT_FIELDS = 4
LOOKED_UP = 1 << 18
"""Values whose ids are looked up at once: each time the vocabulary is hashed anew."""


def encode_source(source: Source, folder: Path, work: Path) -> FeatureSchema:
    """Writes arrays and vocabularies of a prepared folder; `work` is for files that the caller removes.

    Raises:
        DataError: the source breaks a rule, or a part comes out empty.
    """
    intake = Intake(work, source.columns)
    try:
        for chunk in source.chunks():
            intake.add(chunk)
        place = divide(source.split, intake.rows())
        rows = _rows_by_part(place)
        if not isinstance(source.split, Given):
            _refuse_empty(rows, source.split.parts)
        _check_labels(intake.rows().label, place, source=source)
        ids = _Ids(intake, place, work)
        (folder / "vocabulary").mkdir()
        sizes = [ids.fit(field, source.facts.minimum_count, folder) for field in range(len(source.columns.categorical))]
        _write_parts(folder, ids, rows=rows, parts=source.split.parts)
    finally:
        intake.close()
    categorical = [
        Field(name, Kind.CATEGORICAL, vocabulary_size=size)
        for name, size in zip(source.columns.categorical, sizes, strict=True)
    ]
    return FeatureSchema(
        (*_numeric_fields(source.columns.dense, stored_part(folder, "train")["numeric"]), *categorical)
    )


def to_part(frame: pl.DataFrame, columns: Columns, *, vocabularies: Sequence[Vocabulary]) -> Part:
    """The arrays of typed rows in given ids; the labels of rows without them (see `RowReader`) are NaN."""
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


class _Ids:
    """Ids of the values that the chunks list, field by field."""

    def __init__(self, intake: Intake, place: Stored, work: Path) -> None:
        self.intake, self.place, self.work = intake, place, work
        self._written = Appended(work / "ids", np.int32)
        self._starts: dict[tuple[int, int], tuple[int, int]] = {}

    def fit(self, field: int, minimum_count: int, folder: Path) -> int:
        """Counts a field in the training part, keeps its vocabulary and gives every listed value its id."""
        counter = Counter(self.work)
        for chunk in self.intake.chunks:
            values = self.intake.values(chunk, field)
            trains = self.place.read(self.intake.ends[chunk], self.intake.ends[chunk + 1]) == 0
            counter.add(values, np.bincount(self.intake.places(chunk, field)[trains], minlength=len(values)))
        vocabulary = Vocabulary.ranked(counter.total(minimum_count))
        vocabulary.write(folder / "vocabulary" / f"{field:03}.parquet")
        self._look_up(field, vocabulary)
        return vocabulary.size

    def of(self, chunk: int, field: int) -> NDArray[np.int32]:
        """The id of each row of a chunk."""
        ids: NDArray[np.int32] = self._written.stored().read(*self._starts[chunk, field])
        return ids[self.intake.places(chunk, field)]

    def close(self) -> None:
        self._written.close()

    def _look_up(self, field: int, vocabulary: Vocabulary) -> None:
        for chunks in self._batches(field):
            ids = vocabulary.ids(pl.concat([values for _, values in chunks]))
            start = self._written.stored().rows
            self._written.append(ids)
            for chunk, values in chunks:
                self._starts[chunk, field] = (start, start + len(values))
                start += len(values)

    def _batches(self, field: int) -> Iterator[list[tuple[int, pl.Series]]]:
        batch: list[tuple[int, pl.Series]] = []
        for chunk in self.intake.chunks:
            batch.append((chunk, self.intake.values(chunk, field)))
            if sum(len(values) for _, values in batch) >= LOOKED_UP:
                yield batch
                batch = []
        if batch:
            yield batch


def _write_parts(folder: Path, ids: _Ids, *, rows: Sequence[int], parts: Sequence[str]) -> None:
    """All parts in one pass over the chunks, each in time order where there is a time."""
    columns = ids.intake.columns
    is_ordered = _ordered_by_part(ids)
    sinks = []
    try:
        for number, name in enumerate(PART_NAMES):
            if name in parts:
                shape = {"numeric": len(columns.dense), "categorical": len(columns.categorical)}
                writer = PartWriter(folder / name, rows[number], **shape, has_time=columns.time is not None)
                sinks.append((number, _Sink(writer, None if is_ordered[number] else ids.work / f"part-{number}")))
        for chunk in ids.intake.chunks:
            place = ids.place.read(ids.intake.ends[chunk], ids.intake.ends[chunk + 1])
            records = _records(ids, chunk)
            for number, sink in sinks:
                sink.append(records[place == number])
        for _, sink in sinks:
            sink.order(ids.work)
    finally:
        ids.close()
        for _, sink in sinks:
            sink.close()


class _Sink:
    """Takes rows of a part; where they come out of time order, through a pile on disk."""

    def __init__(self, writer: PartWriter, pile: Path | None) -> None:
        self._writer, self._path = writer, pile
        self._pile: Appended | None = None

    def append(self, records: NDArray[Any]) -> None:
        if self._path is None:
            self._writer.append(_fields(records))
            return
        if self._pile is None:
            self._pile = Appended(self._path, records.dtype)
        self._pile.append(records)

    def order(self, work: Path) -> None:
        if self._pile is not None:
            for block in in_time_order(self._pile.stored(), work):
                self._writer.append(_fields(block))
            self._pile.path.unlink()

    def close(self) -> None:
        self._writer.close()
        if self._pile is not None:
            self._pile.close()


def _records(ids: _Ids, chunk: int) -> NDArray[Any]:
    """The rows of a chunk, encoded."""
    intake = ids.intake
    first, last = intake.ends[chunk], intake.ends[chunk + 1]
    rows, columns = intake.rows(), intake.columns
    fields = [
        ("label", np.float32),
        ("numeric", np.float32, (len(columns.dense),)),
        ("categorical", np.int32, (len(columns.categorical),)),
        ("time", np.float64),
    ]
    records = np.empty(last - first, np.dtype(fields if rows.time is not None else fields[:-1]))
    records["label"] = rows.label.read(first, last)
    records["numeric"] = intake.numeric().read(first, last)
    for field in range(len(columns.categorical)):
        records["categorical"][:, field] = ids.of(chunk, field)
    if rows.time is not None:
        records["time"] = rows.time.read(first, last)
    return records


def _fields(records: NDArray[Any]) -> dict[str, NDArray[Any]]:
    return {name: records[name] for name in records.dtype.names or ()}


def _ordered_by_part(ids: _Ids) -> list[bool]:
    """Whether the rows of each part already come in time order."""
    times, found, last = ids.intake.rows().time, [True] * len(PART_NAMES), [-np.inf] * len(PART_NAMES)
    if times is None:
        return found
    for block, place in zip(times.blocks(FIT_ROWS), ids.place.blocks(FIT_ROWS), strict=True):
        for number in range(len(PART_NAMES)):
            own = np.append(last[number], block[place == number])
            found[number] = found[number] and not np.any(np.diff(own) < 0)
            last[number] = own[-1]
    return found


def _rows_by_part(place: Stored) -> list[int]:
    counts = np.zeros(len(PART_NAMES), np.int64)
    for block in place.blocks():
        counts += np.bincount(block, minlength=len(PART_NAMES))
    return [int(count) for count in counts]


def _check_labels(label: Stored, place: Stored, *, source: Source) -> None:
    """Before hours are spent on what the writing would refuse."""
    rows, clicks = np.zeros((2, len(PART_NAMES)), np.int64)
    for labels, places in zip(label.blocks(FIT_ROWS), place.blocks(FIT_ROWS), strict=True):
        rows += np.bincount(places, minlength=len(PART_NAMES))
        clicks += np.bincount(places[labels > 0.5], minlength=len(PART_NAMES))
    for number, name in enumerate(PART_NAMES):
        if name in source.split.parts:
            check_labels(name, int(rows[number]), int(clicks[number]), facts=source.facts)


def _refuse_empty(rows: Sequence[int], parts: Sequence[str]) -> None:
    for name, count in zip(PART_NAMES, rows, strict=True):
        if name in parts and not count:
            raise DataError(
                f"each part needs rows, but the split leaves {name} empty (of {sum(rows)} rows in all); "
                "give it a larger share, a time column with more distinct values, or another rule of splitting"
            )


def _numeric_fields(names: Sequence[str], train: Stored) -> list[Field]:
    """Schema fields of the dense columns; some columns at a time, so that memory does not grow with their number."""
    moments = [Moments() for _ in names]
    for start in range(0, train.rows, FIT_ROWS):
        rows = min(FIT_ROWS, train.rows - start)
        for first in range(0, len(names), FIT_FIELDS):
            some = moments[first : first + FIT_FIELDS]
            block = np.empty((len(some), rows), np.float32)
            for at in range(0, rows, FIT_ROWS // 16):
                piece = train.read(start + at, min(start + at + FIT_ROWS // 16, start + rows))
                block[:, at : at + len(piece)] = piece[:, first : first + len(some)].T
            for one, column in zip(some, block, strict=True):
                one.add(column)
    return [one.field(name) for one, name in zip(moments, names, strict=True)]
