"""Arrays on disk that are written and read in blocks.

Plain reads and writes, no memory map: a mapped page counts as the program's memory for as long as it stays mapped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 1 << 23


@dataclass(frozen=True)
class Stored:
    """Rows of `shape` and `kind` in a file, from byte `start` on."""

    path: Path
    kind: np.dtype[Any]
    rows: int
    shape: tuple[int, ...] = ()
    start: int = 0

    @property
    def row_bytes(self) -> int:
        """Bytes of a row."""
        return self.kind.itemsize * int(np.prod(self.shape, dtype=np.int64))

    @property
    def bytes(self) -> int:
        """Bytes of all rows."""
        return self.rows * self.row_bytes

    def read(self, first: int, last: int) -> NDArray[Any]:
        """Rows `first` to `last`, that one left out."""
        last = min(last, self.rows)
        values = int(np.prod(self.shape, dtype=np.int64)) * (last - first)
        offset = self.start + first * self.row_bytes
        return np.fromfile(self.path, self.kind, count=values, offset=offset).reshape(last - first, *self.shape)

    def blocks(self, rows: int | None = None) -> Iterator[NDArray[Any]]:
        """All rows in order, `rows` at a time or as many as a block holds."""
        step = rows or max(1, BLOCK_BYTES // max(1, self.row_bytes))
        for first in range(0, self.rows, step):
            yield self.read(first, first + step)


class Appended:
    """Writes rows one block after another; `stored` reads what has been written.

    With `header` the file is an .npy, whose number of rows must be known before.
    """

    def __init__(self, path: Path, kind: Any, shape: tuple[int, ...] = (), *, header: int | None = None) -> None:
        self.path = path
        self._kind, self._shape = np.dtype(kind), shape
        self._rows = self._start = 0
        self._file: BinaryIO = path.open("wb")
        if header is not None:
            facts = {"descr": self._kind.str, "fortran_order": False, "shape": (header, *shape)}
            np.lib.format.write_array_header_1_0(self._file, facts)
            self._start = self._file.tell()

    def __enter__(self) -> Appended:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def append(self, rows: NDArray[Any]) -> None:
        """Adds rows at the end."""
        content = np.ascontiguousarray(rows, dtype=self._kind)
        self._file.write(content.reshape(-1).view(np.uint8).data)
        self._rows += len(rows)

    def stored(self) -> Stored:
        """What has been written so far, for reading."""
        self._file.flush()
        return Stored(self.path, self._kind, self._rows, self._shape, self._start)

    def close(self) -> None:
        """Ends the writing."""
        self._file.close()


def open_npy(path: Path) -> Stored:
    """The rows of an .npy file that this package wrote."""
    with path.open("rb") as file:
        np.lib.format.read_magic(file)
        shape, _, kind = np.lib.format.read_array_header_1_0(file)
        return Stored(path, kind, shape[0], tuple(shape[1:]), file.tell())
