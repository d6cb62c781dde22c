"""Reads delimited text in whole lines of bounded size, plain or gzipped, with errors that name the line.

Every block is cut after a line, so that memory does not depend on the file, and its separators are counted
before it is parsed: a parser alone fills a short line with missing values, which moves a table's columns
without a word.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
from numpy.typing import NDArray

from evaluators._datasets.columns import Origin
from evaluators._errors import DataError

BLOCK_BYTES = 1 << 23
LONGEST_LINE_BYTES = 1 << 26
NEW_LINE, QUOTE = ord("\n"), '"'
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
UNREADABLE = (OSError, EOFError, zlib.error)


@dataclass(frozen=True)
class Text:
    """A delimited text file. `names` are its columns where it has no header; without `quoted` no quote is special."""

    path: Path
    separator: str
    names: tuple[str, ...] | None = None
    quoted: bool = True

    def column_names(self) -> tuple[str, ...]:
        """The columns, by the header where there is one.

        Raises:
            DataError: the file is empty or unreadable, or two columns have one name.
        """
        found = self.names or self._header()
        doubled = sorted({name for name in found if found.count(name) > 1})
        if doubled:
            raise DataError(
                f"each column needs a name of its own, but {self.path} has {doubled[0]!r} twice; rename one"
            )
        return found

    def frames(self, wanted: Sequence[str]) -> Iterator[tuple[pl.DataFrame, Origin]]:
        """The wanted columns as text, some lines at a time.

        Raises:
            DataError: a line has too few or too many columns or is no UTF-8, or the file cannot be read.
        """
        names = self.column_names()
        reader = _Blocks(self, names, tuple(wanted))
        for block in _whole_lines(self):
            frame = reader.read(block)
            if frame is not None:
                yield frame

    def _header(self) -> tuple[str, ...]:
        first = next(_whole_lines(self, block_bytes=1 << 16), b"")
        ends = _line_ends(first, self.quoted)
        if not len(ends):
            raise _malformed(Origin(self.path, unit="line"), "one in the first line is never closed")
        line = _decoded(first[: ends[0]], Origin(self.path, unit="line")).rstrip("\r\n")
        try:
            return tuple(next(csv.reader([line], delimiter=self.separator)))
        except csv.Error as error:
            raise DataError(
                f"a text table begins with the names of its columns, but line 1 of {self.path} is no such line "
                f"({error}); check that lines end with a line feed"
            ) from error


class _Blocks:
    """Turns blocks of whole lines into frames, in order."""

    def __init__(self, text: Text, names: tuple[str, ...], wanted: tuple[str, ...]) -> None:
        self._text, self._names, self._wanted = text, names, wanted
        self._has_header = text.names is None
        self._lines = self._rows = 0
        self._blank_line = 0

    def read(self, block: bytes) -> tuple[pl.DataFrame, Origin] | None:
        if self._has_header:
            block = self._without_header(block)
        lines, content = block.count(b"\n"), block
        if len(self._names) > 1:
            content = self._without_blank_end(block)
        if not content:
            self._lines += lines
            return None
        origin = self._origin(content)
        rows = self._check_widths(content, origin)
        frame = self._parsed(content, origin, rows)
        self._lines, self._rows = self._lines + lines, self._rows + rows
        return frame, origin

    def _origin(self, block: bytes) -> Origin:
        header, quoted = int(self._text.names is None), self._text.quoted and QUOTE.encode() in block
        if self._lines == self._rows + header and (not quoted or len(_line_ends(block, True)) == _lines_of(block)):
            return Origin(self._text.path, self._lines + 1, "line")
        return Origin(self._text.path, self._rows + 1)  # some value holds a line break

    def _without_header(self, block: bytes) -> bytes:
        self._has_header = False
        end = int(_line_ends(block, self._text.quoted)[0])
        self._lines = block[: end + 1].count(b"\n")
        return block[end + 1 :]

    def _without_blank_end(self, block: bytes) -> bytes:
        """Blank lines may end a file; before another line they are lines without their columns."""
        content = block.rstrip(b"\r\n")
        if content and self._blank_line:
            raise self._wrong_width(f"line {self._blank_line}", 1)
        blank = block[len(content) :].count(b"\n") - bool(content)
        if blank > 0 and not self._blank_line:
            self._blank_line = self._lines + block.count(b"\n") - blank + 1
        return content

    def _check_widths(self, block: bytes, origin: Origin) -> int:
        ends = _line_ends(block, self._text.quoted)
        separators = _outside_quotes(block, ord(self._text.separator), self._text.quoted)
        widths = np.diff(np.searchsorted(separators, ends), prepend=0) + 1
        wrong = widths != len(self._names)
        if wrong.any():
            index = int(wrong.argmax())
            raise self._wrong_width(origin.place(index), int(widths[index]))
        return len(ends)

    def _wrong_width(self, place: str, width: int) -> DataError:
        return DataError(
            f"each line needs {len(self._names)} columns ({_named(self._names)}), but {place} of {self._text.path} "
            f"has {width}; mend the line, or check that this is the file that it should be"
        )

    def _parsed(self, block: bytes, origin: Origin, rows: int) -> pl.DataFrame:
        try:
            frame = pl.read_csv(
                block,
                has_header=False,
                schema=dict.fromkeys(self._names, pl.String),
                separator=self._text.separator,
                quote_char=QUOTE if self._text.quoted else None,
            )
        except pl.exceptions.PolarsError as error:
            _decoded(block, origin)
            raise _malformed(origin, str(error)) from error
        if frame.height != rows:
            raise _malformed(origin, f"{rows} lines hold {frame.height} rows")
        return frame.select(self._wanted)


def _lines_of(block: bytes) -> int:
    return block.count(b"\n") + (not block.endswith(b"\n"))


def _named(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 6 else f"{', '.join(names[:3])}, ..., {names[-1]}"


def _malformed(origin: Origin, complaint: str) -> DataError:
    reason = (complaint.strip() or "no reason given").splitlines()[0]
    return DataError(
        f"a text table needs quotes that close, but {origin.file} has others near {origin.place(0)} ({reason}); "
        "double each quote inside a quoted value, and quote each value that holds one"
    )


def _decoded(block: bytes, origin: Origin) -> str:
    try:
        return block.decode()
    except UnicodeDecodeError as error:
        place = origin.place(block[: error.start].count(b"\n"))
        raise DataError(
            f"a text table must be UTF-8, but {place} of {origin.file} holds the byte 0x{block[error.start]:02x}; "
            "write the file as UTF-8"
        ) from error


def _whole_lines(text: Text, *, block_bytes: int | None = None) -> Iterator[bytes]:
    """Blocks that end with a line; the last may lack its line break."""
    rest, is_empty = b"", True
    try:
        with _opened(text.path) as stream:
            while piece := stream.read(block_bytes or BLOCK_BYTES):
                block = rest + piece
                if is_empty:
                    block, is_empty = block.removeprefix(BYTE_ORDER_MARK), False
                ends = _line_ends(block, text.quoted, closed=False)
                cut = int(ends[-1]) + 1 if len(ends) else 0
                rest = block[cut:]
                if cut:
                    yield block[:cut]
                if len(rest) > LONGEST_LINE_BYTES:
                    raise DataError(
                        f"a line has at most {LONGEST_LINE_BYTES} bytes, but {text.path} has a longer one; check that "
                        "it is a text table and that each quote is closed"
                    )
    except UNREADABLE as error:
        raise DataError(
            f"a table must be a readable parquet or csv file, but {text.path} cannot be read ({error}); "
            "check that it is complete and of the kind that its name says"
        ) from error
    if is_empty:
        raise DataError(f"a table needs rows, but {text.path} is empty; check that it is the right file")
    if rest:
        yield rest


def _opened(path: Path) -> BinaryIO:
    return gzip.open(path) if path.suffix == ".gz" else path.open("rb")  # type: ignore[return-value]  # reads bytes too


def _line_ends(block: bytes, quoted: bool, *, closed: bool = True) -> NDArray[np.int64]:
    """Where the lines of a block end; with `closed` the last one ends with the block."""
    ends = _outside_quotes(block, NEW_LINE, quoted)
    if closed and not block.endswith(b"\n"):
        ends = np.append(ends, len(block))
    return ends


def _outside_quotes(block: bytes, byte: int, quoted: bool) -> NDArray[np.int64]:
    """Where a byte stands outside quotes in a block that starts outside quotes: after an even number of them."""
    content = np.frombuffer(block, np.uint8)
    places = np.flatnonzero(content == byte)
    if not quoted or QUOTE.encode() not in block:
        return places
    quotes = np.flatnonzero(content == ord(QUOTE))
    outside: NDArray[np.int64] = places[np.searchsorted(quotes, places) % 2 == 0]
    return outside
