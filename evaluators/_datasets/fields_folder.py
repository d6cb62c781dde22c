"""Source: a folder with train, valid and test as parquet and a `fields.json` that says what each column is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import polars as pl

from evaluators._datasets.columns import Columns, Origin
from evaluators._datasets.dataset import RESERVED_KINDS, Facts
from evaluators._datasets.files import Parquet, open_table, read_frames
from evaluators._datasets.numeric import RowReader
from evaluators._datasets.part import PART_NAMES
from evaluators._datasets.source import Chunk, Source
from evaluators._datasets.split import Given
from evaluators._errors import DataError
from searchspaces import did_you_mean

FIELDS_FILE = "fields.json"
LABEL = "label"
KINDS = ("dense", "categorical")
TIME_NAMES = ("time_ms", "time", "timestamp")


def is_fields_folder(folder: Path) -> bool:
    """Whether the folder says by `fields.json` what its columns are."""
    return (folder / FIELDS_FILE).is_file()


def source_files(folder: Path) -> list[Path]:
    """Every file that the preparation reads."""
    names = [FIELDS_FILE, *(f"{prefix}{part}.parquet" for part in PART_NAMES for prefix in ("", "aux_"))]
    return [folder / name for name in names if (folder / name).is_file()]


def read_fields_folder(folder: Path, minimum_count: int) -> Source:
    """Opens all parts; a test part may be absent. Rows with a time come in its order.

    The time column is `time_ms`, `time` or `timestamp` of `aux_train.parquet`, else its first date.

    Raises:
        DataError: a file or column breaks a rule of the format.
    """
    fields = _fields(folder)
    columns = _columns(folder, fields, aux_part="train")
    split = Given(tuple(part for part in PART_NAMES if part != "test" or part_file(folder, "test").is_file()))
    facts = Facts(
        name=folder.resolve().name,
        label=LABEL,
        time_column=columns.time,
        split=split.facts,
        minimum_count=minimum_count,
        source=f"folder {folder.resolve().name}",
        licence=_licence(folder),
        meanings={name: _meaning(facts) for name, facts in fields.items()},
    )

    def chunks() -> Iterator[Chunk]:
        for part in split.parts:
            yield from (Chunk(frame, part) for frame in _part(folder, part, columns=columns))

    return Source(chunks, columns, facts, split)


def read_fields_part(folder: Path, part: str) -> tuple[Iterator[pl.DataFrame], Columns]:
    """One part alone, rows as they stand in the file; the others need not be there, nor need its label."""
    columns = _columns(folder, _fields(folder), aux_part=part)
    return _part(folder, part, columns=columns, needs_label=False), columns


def part_file(folder: Path, part: str) -> Path:
    """Where a part lies."""
    return folder / f"{part}.parquet"


def _fields(folder: Path) -> dict[str, dict[str, Any]]:
    path = folder / FIELDS_FILE
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"a data folder needs a readable {FIELDS_FILE}, but {path} is not ({error})") from error
    if not isinstance(content, dict) or not content:
        raise DataError(f"{FIELDS_FILE} maps each column to its facts, but {path} is no mapping or empty")
    mistakes = [mistake for name, facts in content.items() for mistake in _mistakes(name, facts)]
    if mistakes:
        raise DataError(f"each column in {path} needs a kind that is read, but {'; '.join(mistakes)}")
    return content


def _mistakes(name: str, facts: object) -> Iterable[str]:
    kind = facts.get("kind") if isinstance(facts, dict) else None
    if kind in RESERVED_KINDS:
        yield f"{name!r} has {kind!r}, which is reserved and not read yet"
    elif kind not in KINDS:
        yield f"{name!r} has {kind!r}; {did_you_mean(str(kind), KINDS)}"


def _columns(folder: Path, fields: Mapping[str, Mapping[str, Any]], *, aux_part: str) -> Columns:
    dense = tuple(name for name, facts in fields.items() if facts["kind"] == "dense")
    categorical = tuple(name for name, facts in fields.items() if facts["kind"] == "categorical")
    aux = folder / f"aux_{aux_part}.parquet"
    return Columns(LABEL, dense, categorical, _time_column(aux) if aux.is_file() else None)


def _time_column(aux: Path) -> str | None:
    schema = _opened(aux).kinds()
    named = [name for name in TIME_NAMES if name in schema]
    dates = [name for name, kind in schema.items() if kind in (pl.Date, pl.Datetime)]
    return next(iter(named + dates), None)


def _part(folder: Path, part: str, *, columns: Columns, needs_label: bool = True) -> Iterator[pl.DataFrame]:
    path = part_file(folder, part)
    names = [name for name in columns.names if name != columns.time]
    reader = RowReader(columns, needs_label=needs_label)
    frames = read_frames(_opened(path), names, file=path, optional=() if needs_label else (columns.label,))
    if columns.time is not None:
        frames = _with_time(frames, path, aux=folder / f"aux_{part}.parquet", time=columns.time)
    for frame, origin in frames:
        yield reader.read(frame, origin)


def _with_time(
    frames: Iterator[tuple[pl.DataFrame, Origin]], path: Path, *, aux: Path, time: str
) -> Iterator[tuple[pl.DataFrame, Origin]]:
    beside, rows = _opened(aux), _opened(path).rows
    if beside.rows != rows:
        raise DataError(
            f"an aux file has one row for each row of its part, but {aux} has {beside.rows} "
            f"and {path} has {rows}; make both from the same rows"
        )
    times = (frame for frame, _ in read_frames(beside, [time], file=aux))
    kept = pl.DataFrame()
    for frame, origin in frames:
        while kept.height < frame.height:
            kept = pl.concat([kept, next(times)]) if kept.height else next(times)
        yield frame.hstack(kept.head(frame.height)), origin
        kept = kept[frame.height :]


def _opened(path: Path) -> Parquet:
    opened = open_table(path)
    assert isinstance(opened, Parquet)  # every file of a folder ends in .parquet
    return opened


def _meaning(facts: Mapping[str, Any]) -> str:
    return ": ".join(str(facts[key]) for key in ("name", "meaning") if key in facts)


def _licence(folder: Path) -> str:
    readme = folder / "README.md"
    # only a note for people: whatever its encoding is, it holds up no preparation
    lines = readme.read_text(encoding="utf-8", errors="replace").splitlines() if readme.is_file() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("- Licence:")), "")
