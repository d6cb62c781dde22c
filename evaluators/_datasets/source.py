"""What a preparation reads: typed rows, chunk by chunk, and the rule that divides them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import polars as pl

from evaluators._datasets.columns import Columns
from evaluators._datasets.dataset import Facts
from evaluators._datasets.split import Split

Options = Mapping[str, int | str]
"""Settings of a recipe, by name."""

CHUNK_ROWS = 1 << 17
"""Most rows that are held as text at once."""


@dataclass(frozen=True, eq=False)
class Chunk:
    """Some rows in the order of their file, typed (see `RowReader`); `part` where the source gives the parts."""

    frame: pl.DataFrame
    part: str = "train"


@dataclass(frozen=True, eq=False)
class Source:
    """A source that has been opened, before any row is read; `chunks` reads it once from the start."""

    chunks: Callable[[], Iterator[Chunk]]
    columns: Columns
    facts: Facts
    split: Split


def chunks_of(frame: pl.DataFrame, part: str = "train") -> Iterator[Chunk]:
    """A table that is in memory, in chunks."""
    for start in range(0, frame.height, CHUNK_ROWS):
        yield Chunk(frame[start : start + CHUNK_ROWS], part)
