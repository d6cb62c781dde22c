"""Reads the candidates of finished trials from a file: CSV, Parquet, or lines of JSON."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from searchspaces._candidate import Candidate
from searchspaces._errors import SpaceError
from searchspaces._options import Options

Row = Mapping[str, Any]

FINISHED = "COMPLETE"
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
    for number, row in enumerate(_read(file), start=1):
        columns.update(dict.fromkeys(row))
        if row.get("state") in (None, "", FINISHED):
            candidate = _candidate(row, f"row {number} of {file}", training, system)
            if candidate is not None:
                found.setdefault(candidate.fingerprint, candidate)
    if not found:
        raise SpaceError(
            f"a table needs finished trials with a 'candidate', or with columns that 'training' or 'system' name, "
            f"but {file} has none of them (its columns: {', '.join(map(str, columns)) or 'none'})"
        )
    return list(found.values())


def _read(file: Path) -> list[Row]:
    reader = _READERS.get(file.suffix.lower())
    if reader is None:
        raise SpaceError(f"'file' must end in one of {', '.join(_READERS)}, but is {str(file)!r}")
    try:
        rows = list(reader(file))
    except SpaceError:
        raise
    except (OSError, csv.Error, *_MALFORMED_JSON) as error:
        raise SpaceError(f"a table must be a file that can be read, but {file} cannot: {error}") from error
    return rows


def _candidate(row: Row, where: str, training: Sequence[str], system: Sequence[str]) -> Candidate | None:
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
    return Options({name: _value(row[name]) for name in names if row.get(name) not in (None, "")})


def _value(value: object) -> object:
    """A cell of a CSV file is text: what reads as JSON is that."""
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except _MALFORMED_JSON:
        return value


def _csv_rows(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        yield from csv.DictReader(lines)


def _json_rows(file: Path) -> Iterator[Row]:
    with file.open(encoding="utf-8") as lines:
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
