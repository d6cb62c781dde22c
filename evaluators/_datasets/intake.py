"""Typed rows on disk before they have ids, so that a source is read once whatever its size.

A categorical column is kept, for each chunk and field, as the list of the chunk's own values and the place of
each row's value in it. Values are then counted, and ids looked up, once a chunk and not once a row.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pyarrow as pa
from numpy.typing import NDArray

from evaluators._datasets.columns import Columns
from evaluators._datasets.part import PART_NAMES
from evaluators._datasets.source import Chunk
from evaluators._datasets.split import Rows
from evaluators._datasets.stored import Appended, Stored


@dataclass(frozen=True)
class _Listed:
    """Where one field of one chunk lies in the file: places of values, ends of texts, texts."""

    start: int
    values: int
    text_bytes: int


class Intake:
    """Takes chunks in, then gives them back by chunk and field."""

    def __init__(self, folder: Path, columns: Columns) -> None:
        self.folder, self.columns = folder, columns
        self.ends = [0]
        self._listed: list[list[_Listed]] = []
        self._label = Appended(folder / "label", np.float32)
        self._numeric = Appended(folder / "numeric", np.float32, (len(columns.dense),))
        self._time = Appended(folder / "time", np.float64) if columns.time is not None else None
        self._given = Appended(folder / "given", np.uint8)
        self._listing = Appended(folder / "listing", np.uint8)

    def add(self, chunk: Chunk) -> None:
        """Keeps a chunk's rows after those before."""
        frame, columns = chunk.frame, self.columns
        numeric = np.empty((frame.height, len(columns.dense)), np.float32)
        for number, name in enumerate(columns.dense):
            numeric[:, number] = frame[name].fill_null(float("nan")).to_numpy()
        self._numeric.append(numeric)
        self._label.append(frame[columns.label].to_numpy())
        self._given.append(np.full(frame.height, PART_NAMES.index(chunk.part), np.uint8))
        if self._time is not None and columns.time is not None:
            self._time.append(frame[columns.time].to_numpy())
        self._listed.append([self._list(frame[name]) for name in columns.categorical])
        self.ends.append(self.ends[-1] + frame.height)

    @property
    def chunks(self) -> range:
        """The numbers of the chunks."""
        return range(len(self.ends) - 1)

    def rows(self) -> Rows:
        """What a split may see."""
        time = None if self._time is None else self._time.stored()
        return Rows(self.ends[-1], self._label.stored(), time, self._given.stored(), self.folder)

    def numeric(self) -> Stored:
        """Raw numbers of all rows, [rows, dense]."""
        return self._numeric.stored()

    def places(self, chunk: int, field: int) -> NDArray[np.int32]:
        """For each row of a chunk its value's place in `values`."""
        listed = self._listed[chunk][field]
        rows = self.ends[chunk + 1] - self.ends[chunk]
        return self._bytes(listed.start, 4 * rows).view(np.int32)

    def values(self, chunk: int, field: int) -> pl.Series:
        """The values of a field in a chunk, each once; the first is the missing value, whether it occurs or not."""
        listed = self._listed[chunk][field]
        start = listed.start + 4 * (self.ends[chunk + 1] - self.ends[chunk])
        ends = 8 * (listed.values + 1)
        buffers = [
            None,
            *(pa.py_buffer(part) for part in np.split(self._bytes(start, ends + listed.text_bytes), [ends])),
        ]
        texts = pl.Series(pl.from_arrow(pa.Array.from_buffers(pa.large_string(), listed.values, buffers)))
        return pl.concat([pl.Series([None], dtype=pl.String), texts])

    def close(self) -> None:
        """Closes the files."""
        for file in self._files():
            file.close()

    def _files(self) -> Iterator[Appended]:
        yield from (self._label, self._numeric, self._given, self._listing)
        if self._time is not None:
            yield self._time

    def _bytes(self, start: int, count: int) -> NDArray[np.uint8]:
        found: NDArray[np.uint8] = self._listing.stored().read(start, start + count)
        return found

    def _list(self, column: pl.Series) -> _Listed:
        texts = pa.chunked_array([column.rechunk().to_arrow(compat_level=pl.CompatLevel.oldest())]).combine_chunks()
        coded = texts.cast(pa.large_string()).dictionary_encode()
        coded = coded.combine_chunks() if isinstance(coded, pa.ChunkedArray) else coded
        values = coded.dictionary
        places = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int32) + np.int32(1)
        _, ends, content = values.buffers()
        edges = (
            np.frombuffer(ends, np.int64)[values.offset : values.offset + len(values) + 1]
            if len(values)
            else np.zeros(1, np.int64)
        )
        text_bytes = int(edges[-1])
        start = self._listing.stored().rows
        self._listing.append(places.view(np.uint8))
        self._listing.append(edges.view(np.uint8))
        if text_bytes:
            self._listing.append(np.frombuffer(content, np.uint8)[:text_bytes])
        return _Listed(start, len(values), text_bytes)
