"""Reads the candidates of finished trials from a file: CSV, Parquet, or lines of JSON."""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from searchspaces._candidate import Candidate
from searchspaces._errors import SpaceError
from searchspaces._options import Options

Row = Mapping[str, Any]

FINISHED = "COMPLETE"
SEARCHED = "search"
PACKED = ".gz"
_MALFORMED_JSON = (ValueError, RecursionError)  # a number of thousands of digits is the one, deep brackets the other


def read_candidates(file: Path, *, training: Sequence[str], system: Sequence[str]) -> list[Candidate]:
    """The different candidates of the finished trials, in the order of the file.

    A row has its candidate in `candidate` or `suggestion.candidate`, as an object or as JSON text, or else flat,
    in the columns that are named here. Rows with a `state` other than COMPLETE are passed over, and so are rows
    without any of these: the file of the tracker `jsonl` holds more than trials.

    Raises:
        SpaceError: the file cannot be read, a candidate is malformed, or there is none.
    """
    found: dict[str, Candidate] = {}
    columns: dict[str, None] = {}
    for number, row in enumerate(read_rows(file), start=1):
        columns.update(dict.fromkeys(row))
        if row.get("state") in (None, "", FINISHED):
            candidate = candidate_of(row, f"row {number} of {file}", training, system)
            if candidate is not None:
                found.setdefault(candidate.fingerprint, candidate)
    if not found:
        raise SpaceError(
            f"a table needs finished trials with a 'candidate', or with columns that 'training' or 'system' name, "
            f"but {file} has none of them (its columns: {', '.join(map(str, columns)) or 'none'})"
        )
    return list(found.values())


def read_searched(file: Path) -> list[Candidate]:
    """The different candidates that searchers may see in a table of trainings, whether they failed or not.

    Raises:
        SpaceError: the file cannot be read, or a candidate is malformed.
    """
    found: dict[str, Candidate] = {}
    for number, row in enumerate(read_rows(file), start=1):
        candidate = candidate_of(row, f"row {number} of {file}") if row.get("role") == SEARCHED else None
        if candidate is not None:
            found.setdefault(candidate.fingerprint, candidate)
    if not found:
        raise SpaceError(f"a table has candidates in rows of the role {SEARCHED!r}, but {file} has none")
    return list(found.values())


def read_rows(file: Path) -> list[Row]:
    """The rows of a CSV, Parquet or JSON-lines file; text may be packed with gzip (`.csv.gz`, `.jsonl.gz`).

    Raises:
        SpaceError: the file cannot be read.
    """
    kind = Path(file.stem).suffix if file.suffix.lower() == PACKED else file.suffix
    reader = _READERS.get(kind.lower())
    if reader is None:
        raise SpaceError(f"'file' must end in one of {', '.join(_READERS)}, but is {str(file)!r}")
    try:
        rows = list(reader(file))
    except SpaceError:
        raise
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise SpaceError(
            f"a file that ends in {PACKED} must be packed whole, but {file} is broken: {error}; fetch or pack it again"
        ) from error
    except (OSError, csv.Error, *_MALFORMED_JSON) as error:
        raise SpaceError(f"a table must be a file that can be read, but {file} cannot: {error}") from error
    return rows


def candidate_of(row: Row, where: str, training: Sequence[str] = (), system: Sequence[str] = ()) -> Candidate | None:
    """The candidate of a row, whole or from the columns of settings that are named; None where it has none.

    Raises:
        SpaceError: it is malformed; `where` begins the sentence.
    """
    try:
        whole = _whole(row)
        if whole is not None:
            return Candidate.from_dict(whole)
        found = Candidate(None, _settings(row, training), _settings(row, system))
    except (TypeError, AttributeError, *_MALFORMED_JSON) as error:  # of another shape altogether
        raise SpaceError(f"{where} has a malformed candidate: {error}") from error
    return found if found.training or found.system else None


def _whole(row: Row) -> Mapping[str, Any] | None:
    suggestion = row.get("suggestion")
    content = row.get("candidate") or (suggestion.get("candidate") if isinstance(suggestion, Mapping) else None)
    if isinstance(content, str):
        content = json.loads(content)
    if content is not None and not isinstance(content, Mapping):
        raise SpaceError(f"a candidate must be an object, but is {type(content).__name__}")
    return content or None


def _settings(row: Row, names: Sequence[str]) -> Options:
    """A column that holds an object stands for its settings, each under its own name."""
    found: dict[str, object] = {}
    for name in names:
        if row.get(name) not in (None, ""):
            value = _value(row[name])
            found |= value if isinstance(value, Mapping) else {name: value}
    return Options(found)


def _value(value: object) -> object:
    """A cell of a CSV file is text: what reads as JSON is that."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except _MALFORMED_JSON:
        return value


def _opened(file: Path) -> TextIO:
    is_packed = file.suffix.lower() == PACKED
    return gzip.open(file, "rt", encoding="utf-8", newline="") if is_packed else file.open(encoding="utf-8", newline="")


def _csv_rows(file: Path) -> Iterator[Row]:
    with _opened(file) as lines:
        yield from csv.DictReader(lines)


def _json_rows(file: Path) -> Iterator[Row]:
    with _opened(file) as lines:
        for line in lines:
            row = json.loads(line) if line.strip() else {}
            if isinstance(row, dict):
                yield row


def _parquet_rows(file: Path) -> Iterator[Row]:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        yield from parquet.read_table(file).to_pylist()
    except pa.ArrowException as error:
        raise SpaceError(f"a table must be a file that can be read, but {file} cannot: {error}") from error


_READERS: Mapping[str, Callable[[Path], Iterator[Row]]] = {
    ".csv": _csv_rows,
    ".jsonl": _json_rows,
    ".parquet": _parquet_rows,
}
